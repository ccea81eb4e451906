/** Places of a landscape that have a name: the server lists them, and gives the outline of each. */
import type { Feature, MultiPolygon, Polygon } from "geojson";
import { address, fetchJson } from "./commons";
import type { Place } from "./place";
import { language, say } from "./words";

const AROUND_KM = 2; // of a village that is a point: what its people walk to

export interface PlaceLayer {
  layer: string;
  title: string;
  places: NamedPlace[];
}

export interface NamedPlace {
  name: string;
  label: string;
  kind: "area" | "point";
}

/** The layers with places, those with the fewest first: what people call by name comes before what is only numbered. */
export async function loadPlaces(landscape: string): Promise<PlaceLayer[]> {
  const told = (await fetchJson(`${placesOf(landscape)}?lang=${language}`)) as { layers: PlaceLayer[] };
  const layers = told.layers.filter(({ places }) => places.length > 0);
  return layers.sort((one, other) => one.places.length - other.places.length);
}

export async function loadPlace(landscape: string, layer: PlaceLayer, name: string): Promise<Place> {
  const parts = [layer.layer, name].map(encodeURIComponent).join("/");
  const place = layer.places.find((each) => each.name === name);
  const around = place?.kind === "point" ? `?within_km=${AROUND_KM}` : "";
  const { geometry } = (await fetchJson(`${placesOf(landscape)}/${parts}${around}`)) as Feature<Polygon | MultiPolygon>;
  return { kind: "area", geometry, name: place ? labelOf(place) : name };
}

/** What a place is called, and of a point how far around it one looks. */
export function labelOf({ label, kind }: NamedPlace): string {
  return kind === "point" ? say("placeAround", { place: label, km: AROUND_KM }) : label;
}

function placesOf(landscape: string): string {
  return address(`landscapes/${encodeURIComponent(landscape)}/places`);
}
