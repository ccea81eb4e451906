/** Reads an area from a file in the browser: GeoJSON, KML or a zipped shapefile. What reads them comes when needed. */
import type { FeatureCollection, GeoJSON, Geometry, MultiPolygon, Polygon, Position } from "geojson";
import type { Place } from "./place";
import type { Key } from "./words";

const LARGEST = 20_000_000; // bytes of a file
const MOST_CORNERS = 10_000; // that the server measures

/** The area in a file, all its polygons taken together; or what is wrong with it. */
export async function readArea(file: File): Promise<Place | Key> {
  if (file.size > LARGEST) return "uploadTooLarge";
  const read = await readFile(file).catch(() => undefined);
  if (!read) return "uploadUnreadable";
  const rings = polygonsOf(read);
  if (rings.length === 0) return "uploadNoArea";
  const corners = rings.flat();
  if (corners.reduce((sum, ring) => sum + ring.length, 0) > MOST_CORNERS) return "uploadTooLarge";
  if (!corners.flat().every(isPlace)) return "uploadNotDegrees";
  const geometry: Polygon | MultiPolygon =
    rings.length === 1
      ? { type: "Polygon", coordinates: rings[0] as Position[][] }
      : { type: "MultiPolygon", coordinates: rings };
  return { kind: "area", geometry, name: file.name };
}

async function readFile(file: File): Promise<GeoJSON | GeoJSON[]> {
  const ending = file.name.toLowerCase().split(".").at(-1);
  if (ending === "kml") {
    const { kml } = await import("@tmcw/togeojson");
    return kml(new DOMParser().parseFromString(await file.text(), "text/xml")) as FeatureCollection;
  }
  if (ending === "zip") {
    const { parseZip } = await import("shpjs");
    return (await parseZip(await file.arrayBuffer())) as FeatureCollection | FeatureCollection[];
  }
  return JSON.parse(await file.text()) as GeoJSON;
}

/** Every polygon in it, without heights. */
function polygonsOf(read: GeoJSON | GeoJSON[] | Geometry | null): Position[][][] {
  if (!read) return [];
  if (Array.isArray(read)) return read.flatMap(polygonsOf);
  switch (read.type) {
    case "FeatureCollection":
      return read.features.flatMap(polygonsOf);
    case "Feature":
      return polygonsOf(read.geometry);
    case "GeometryCollection":
      return read.geometries.flatMap(polygonsOf);
    case "Polygon":
      return [flat(read.coordinates)];
    case "MultiPolygon":
      return read.coordinates.map(flat);
    default:
      return [];
  }
}

function flat(rings: Position[][]): Position[][] {
  return rings.map((ring) => ring.map((position) => position.slice(0, 2)));
}

function isPlace([longitude, latitude]: Position): boolean {
  return Math.abs(longitude ?? NaN) <= 180 && Math.abs(latitude ?? NaN) <= 90;
}
