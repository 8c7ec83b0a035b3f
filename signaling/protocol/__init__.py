"""Every message between the browser and the server, declared once."""
