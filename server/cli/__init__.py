"""The command line: one function per command, its help is its docstring."""
