"""The command line: `springald`."""
