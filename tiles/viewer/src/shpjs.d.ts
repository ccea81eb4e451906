declare module "shpjs" {
  import type { FeatureCollection } from "geojson";

  /** Every layer of a zipped shapefile, in longitude and latitude. */
  export function parseZip(content: ArrayBuffer): Promise<FeatureCollection | FeatureCollection[]>;
}
