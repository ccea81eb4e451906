/** Whether the page stands in a dashboard of somebody else: then it is the map, the time bar and the legend only. */
export const embedded: boolean = /\/embed$/.test(location.pathname);

/** The whole page in the state that is shown here. */
export function wholePage(): string {
  return new URL(".", location.href).href + location.hash;
}
