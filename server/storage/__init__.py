"""Everything durable: tables, migrations and the adapters of the ports the other parts declare."""
