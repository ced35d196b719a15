"""Public accounts of the counties and the savings of households."""
