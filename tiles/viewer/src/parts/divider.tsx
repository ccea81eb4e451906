/** The divider between two maps: dragged, or moved with the arrow keys. */
import { useRef, useState } from "preact/hooks";
import { say } from "../words";

const STEP = 2; // percent of the map
const LEAP = 10;
const STEPS: Record<string, number> = {
  ArrowLeft: -STEP,
  ArrowDown: -STEP,
  ArrowRight: STEP,
  ArrowUp: STEP,
  PageDown: -LEAP,
  PageUp: LEAP,
  Home: -100,
  End: 100,
};

export function Divider({ before, after }: { before: string; after: string }) {
  const frame = useRef<HTMLDivElement>(null);
  const [share, setShare] = useState(50);
  const move = (percent: number): void => {
    const next = Math.min(Math.max(percent, 0), 100);
    setShare(next);
    frame.current?.closest<HTMLElement>(".map-area")?.style.setProperty("--share", String(next / 100));
  };
  const drag = (event: PointerEvent & { currentTarget: HTMLElement }): void => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    const box = frame.current?.getBoundingClientRect();
    if (box) move(((event.clientX - box.left) / box.width) * 100);
  };
  const press = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    move(share + step);
  };
  return (
    <div class="sides" ref={frame}>
      <p class="side before">{before}</p>
      <p class="side after">{after}</p>
      <div
        class="divider"
        role="slider"
        tabIndex={0}
        aria-label={say("divider")}
        aria-orientation="horizontal"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(share)}
        aria-valuetext={say("dividerAt", { share: Math.round(share), title: before })}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={drag}
        onKeyDown={press}
      >
        <span class="divider-grip" aria-hidden="true" />
      </div>
    </div>
  );
}
