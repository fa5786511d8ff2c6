"""The command line: a client of the engine, as the screen is. stdout is data, stderr is talk."""
