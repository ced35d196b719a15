"""Contracted land, homesteads, collective income: the three rights."""
