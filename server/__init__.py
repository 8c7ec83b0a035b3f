"""The composition root: settings, storage, identity, HTTP and the command line around the three other parts."""
