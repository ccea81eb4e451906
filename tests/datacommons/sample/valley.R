# Writes valley.rda: a list of rasters as the data of R packages are, with invented numbers.
# Rscript valley.R, with the packages raster and sp.
library(raster)

ROWS <- 40
COLUMNS <- 60
row <- matrix(seq_len(ROWS) - 1, ROWS, COLUMNS)
column <- matrix(seq_len(COLUMNS) - 1, ROWS, COLUMNS, byrow = TRUE)

as_layer <- function(cells, name) {
  # Edges that no binary fraction hits, as those of real maps, and a margin in the north without data.
  cells[row < 2] <- NA
  layer <- raster(nrows = ROWS, ncols = COLUMNS, xmn = 213729.92, xmx = 219725.20, ymn = 911169.91, ymx = 915168.11,
                  crs = CRS("+proj=lcc +lat_1=42.68333333333333 +lat_2=41.71666666666667 +lat_0=41 +lon_0=-71.5 +x_0=200000 +y_0=750000 +ellps=GRS80 +units=m +no_defs"))
  layer <- setValues(layer, as.vector(t(cells)))
  names(layer) <- name
  layer
}

# Forest (1), other in the east (3), and built land (2) that grows from the west; whole numbers, and doubles.
cover <- function(built) {
  cells <- matrix(1L, ROWS, COLUMNS)
  cells[column >= 40] <- 3L
  cells[column < built & row >= 10 & row < 30] <- 2L
  cells
}
older <- function(layer) {
  # Before raster 3.5 a layer had no slot "srs".
  attr(layer, "srs") <- NULL
  layer
}

valley <- list(
  cover_1990 = older(as_layer(cover(10), "cover_1990")),
  cover_2000 = as_layer(cover(16) + 0.0, "cover_2000"),
  cover_2010 = older(as_layer(cover(22), "cover_2010")),
  height = older(as_layer(row * 2.5 + column * 0.1, "height")),
  distance = older(as_layer(column * 100L, "distance"))
)
stopifnot(is.integer(valley$cover_1990@data@values), is.double(valley$cover_2000@data@values))
save(valley, file = "valley.rda", compress = "xz", version = 2)
