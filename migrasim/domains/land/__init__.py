"""Land: prospects of leavers, paid exit and the land of the absent."""
