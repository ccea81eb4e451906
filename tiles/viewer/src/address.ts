/** The page's address keeps what is shown, so that any view can be linked. */
import type { Choice, Drawer, Theme } from "./choice";
import { readPlace, writePlace } from "./place";

export interface View {
  zoom: number;
  latitude: number;
  longitude: number;
}

export interface Address extends Choice {
  view: View | undefined;
}

const THEMES: Theme[] = ["cover", "difference", "probability", "first-change", "layer"];
const DRAWERS: Drawer[] = ["compare", "sure", "here", "plan", "layers"];

export function readAddress(hash: string): Address {
  const fields = new URLSearchParams(hash.replace(/^#/, ""));
  const text = (name: string): string | undefined => fields.get(name) ?? undefined;
  return {
    landscape: text("landscape"),
    run: text("run"),
    year: yearIn(text("year")),
    theme: THEMES.find((theme) => theme === text("show")) ?? "cover",
    class: text("class"),
    layer: text("layer"),
    veil: text("veil") !== "off",
    swipe: text("compare") === "swipe",
    against: text("with"),
    since: yearIn(text("since")),
    drawer: DRAWERS.find((drawer) => drawer === text("open")),
    place: readPlace(text("place")),
    view: readView(text("view")),
  };
}

export function writeAddress(address: Address): string {
  const { landscape, run, year, theme, layer, veil, swipe, against, since, drawer, place } = address;
  const told: [string, string | number | undefined][] = [
    ["landscape", landscape],
    ["run", run],
    ["year", year],
    ["show", theme === "cover" ? undefined : theme],
    ["class", address.class],
    ["layer", layer],
    ["veil", veil ? undefined : "off"],
    ["compare", swipe ? "swipe" : undefined],
    ["with", against],
    ["since", since],
    ["open", drawer],
  ];
  const fields = new URLSearchParams();
  for (const [name, value] of told) if (value !== undefined && value !== "") fields.set(name, String(value));
  // Commas, slashes and semicolons may stand in an address as they are, and read better so.
  return `#${fields.toString()}${plain("place", place && writePlace(place))}${plain("view", writeView(address.view))}`;
}

function plain(name: string, value: string | undefined): string {
  return value ? `&${name}=${value}` : "";
}

function yearIn(text: string | undefined): number | undefined {
  const year = Number.parseInt(text ?? "", 10);
  return Number.isNaN(year) ? undefined : year;
}

function writeView(view: View | undefined): string | undefined {
  return view && `${view.zoom.toFixed(2)}/${view.latitude.toFixed(5)}/${view.longitude.toFixed(5)}`;
}

function readView(field: string | undefined): View | undefined {
  const [zoom, latitude, longitude] = (field ?? "").split("/").map(Number);
  if (![zoom, latitude, longitude].every((part) => Number.isFinite(part))) return undefined;
  if (Math.abs(latitude as number) > 85 || Math.abs(longitude as number) > 180) return undefined;
  return { zoom: zoom as number, latitude: latitude as number, longitude: longitude as number };
}
