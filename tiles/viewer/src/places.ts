/** Places of a landscape that have a name: the server lists them, and gives the outline of each. */
import type { Feature, MultiPolygon, Polygon } from "geojson";
import { address, fetchJson } from "./commons";
import type { Place } from "./place";
import { language } from "./words";

export interface PlaceLayer {
  layer: string;
  title: string;
  places: { name: string; label: string }[];
}

/** The layers with places, those with the fewest first: what people call by name comes before what is only numbered. */
export async function loadPlaces(landscape: string): Promise<PlaceLayer[]> {
  const told = (await fetchJson(`${placesOf(landscape)}?lang=${language}`)) as { layers: PlaceLayer[] };
  const layers = told.layers.filter(({ places }) => places.length > 0);
  return layers.sort((one, other) => one.places.length - other.places.length);
}

export async function loadPlace(landscape: string, layer: PlaceLayer, name: string): Promise<Place> {
  const parts = [layer.layer, name].map(encodeURIComponent).join("/");
  const { geometry } = (await fetchJson(`${placesOf(landscape)}/${parts}`)) as Feature<Polygon | MultiPolygon>;
  const label = layer.places.find((place) => place.name === name)?.label ?? name;
  return { kind: "area", geometry, name: label };
}

function placesOf(landscape: string): string {
  return address(`landscapes/${encodeURIComponent(landscape)}/places`);
}
