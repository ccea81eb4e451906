"""Draws a layer by QGIS without a screen; run by the Python that QGIS was installed for.

Arguments: the address of a layer as QGIS's provider "wms" takes it; west, south, east and north in EPSG:3857; how many
pixels each side has; and the PNG to write.
"""

import sys

from qgis.core import (  # type: ignore[import-not-found]
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsRasterLayer,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QSize  # type: ignore[import-not-found]
from qgis.PyQt.QtGui import QColor  # type: ignore[import-not-found]


def draw(uri: str, bounds: list[float], size: int, target: str) -> None:
    layer = QgsRasterLayer(uri, "layer", "wms")
    if not layer.isValid():
        sys.exit(f"QGIS does not take the layer: {layer.error().summary()}")
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    settings.setExtent(QgsRectangle(*bounds))
    settings.setOutputSize(QSize(size, size))
    settings.setBackgroundColor(QColor(255, 0, 255))
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    if job.errors():
        sys.exit(f"QGIS could not draw: {[error.message for error in job.errors()]}")
    job.renderedImage().save(target)


if __name__ == "__main__":
    application = QgsApplication([], False)
    application.initQgis()
    draw(sys.argv[1], [float(edge) for edge in sys.argv[2:6]], int(sys.argv[6]), sys.argv[7])
    application.exitQgis()
