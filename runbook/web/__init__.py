"""The screens in a browser on this machine: who is let in, and what is served."""
