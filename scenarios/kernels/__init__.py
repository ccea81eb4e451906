"""Arrays in, arrays out: the inner loops of a projection, in NumPy and Numba.

Nothing here knows files, Dask, xarray or scenarios. All scores are integers, so no result depends on the order of a
sum, on the chunks, on threads or on the processor.
"""
