"""The steps put together: year by year, for the best map and for each member."""
