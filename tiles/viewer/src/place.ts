/** A place the reader asks about: a point, an area, or the whole landscape. */
import type { MultiPolygon, Polygon, Position } from "geojson";

export type Place =
  | { kind: "point"; longitude: number; latitude: number }
  | { kind: "area"; geometry: Polygon | MultiPolygon; name?: string }
  | { kind: "whole" };

export type Corner = [longitude: number, latitude: number];

const DIGITS = 5; // about a metre
const LONGEST = 1500; // characters of an area in an address: a longer one is not kept there

/** An area drawn corner by corner. */
export function drawnArea(corners: Corner[]): Place {
  const first = corners[0] as Corner;
  return { kind: "area", geometry: { type: "Polygon", coordinates: [[...corners, first]] } };
}

export function writePlace(place: Place): string | undefined {
  if (place.kind === "whole") return "all";
  if (place.kind === "point") return write([place.longitude, place.latitude]);
  if (place.geometry.type !== "Polygon" || place.geometry.coordinates.length !== 1) return undefined;
  const ring = place.geometry.coordinates[0] ?? [];
  const text = ring.slice(0, -1).map(write).join(";");
  return text.length > LONGEST ? undefined : text;
}

export function readPlace(text: string | undefined): Place | undefined {
  if (!text) return undefined;
  if (text === "all") return { kind: "whole" };
  const corners = text.split(";").map((part) => part.split(",").map(Number));
  const sound = corners.every((corner) => corner.length === 2 && corner.every(Number.isFinite));
  if (!sound) return undefined;
  if (corners.length >= 3) return drawnArea(corners as Corner[]);
  const [longitude, latitude] = corners[0] as Corner;
  return { kind: "point", longitude, latitude };
}

/** Whether two are the same place; those read from the same address are, though they are not the same object. */
export function isSamePlace(one: Place | undefined, other: Place | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function write(position: Position): string {
  return position
    .slice(0, 2)
    .map((degrees) => Number(degrees.toFixed(DIGITS)))
    .join(",");
}
