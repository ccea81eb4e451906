/** The page's address keeps what is shown, so that any view can be linked. */
import type { Choice } from "./model";

export interface View {
  zoom: number;
  latitude: number;
  longitude: number;
}

export interface Address extends Choice {
  view: View | undefined;
}

export function readAddress(hash: string): Address {
  const fields = new URLSearchParams(hash.replace(/^#/, ""));
  const year = Number.parseInt(fields.get("year") ?? "", 10);
  return {
    landscape: fields.get("landscape") ?? undefined,
    run: fields.get("run") ?? undefined,
    year: Number.isNaN(year) ? undefined : year,
    view: readView(fields.get("view")),
  };
}

export function writeAddress({ landscape, run, year, view }: Address): string {
  const fields = new URLSearchParams();
  if (landscape) fields.set("landscape", landscape);
  if (run) fields.set("run", run);
  if (year !== undefined) fields.set("year", String(year));
  const place = view && `${view.zoom.toFixed(2)}/${view.latitude.toFixed(5)}/${view.longitude.toFixed(5)}`;
  return `#${fields.toString()}${place ? `&view=${place}` : ""}`;
}

function readView(field: string | null): View | undefined {
  const [zoom, latitude, longitude] = (field ?? "").split("/").map(Number);
  if (![zoom, latitude, longitude].every((part) => Number.isFinite(part))) return undefined;
  if (Math.abs(latitude as number) > 85 || Math.abs(longitude as number) > 180) return undefined;
  return { zoom: zoom as number, latitude: latitude as number, longitude: longitude as number };
}
