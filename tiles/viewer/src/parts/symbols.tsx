/** Small drawn signs: the colour of a class, and icons. */

/** A square in the colour of a class. */
export function Swatch({ colour }: { colour: string }) {
  return <span class="swatch" aria-hidden="true" style={{ backgroundColor: colour }} />;
}

/** An icon of one path on a 24 x 24 field in the colour of the text around it: filled, or as lines. */
export function Icon({ path, lines }: { path: string; lines?: boolean }) {
  return (
    <svg class={lines ? "icon lines" : "icon"} viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}
