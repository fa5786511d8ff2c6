"""The client of Azure Resource Manager. Importing this package imports nothing: take the module you need.

``client.py`` sends calls through an azure-core pipeline; ``policies.py`` is that pipeline's whole policy list;
``transport.py`` is the live wire; ``auth.py`` and ``clouds.py`` say who asks and whom. What an answer *means* is
decided in pure modules: ``answer.py`` (bytes to JSON), ``fault.py``, ``errors.py``, ``hints.py`` (refusals), ``lro.py``
(long-running operations), ``paging.py`` (collections).

Nothing here retries, follows a redirect or remembers an answer: a call leaves once or not at all, and the engine,
which records what it does, decides what follows.
"""
