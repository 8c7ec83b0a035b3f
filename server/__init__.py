"""The composition root: settings, storage, identity, HTTP and command line around the other three parts."""
