"""The store on PostgreSQL: the tables of pgSTAC."""
