"""What people look at: tables in the terminal and figures. Percent exists only here."""
