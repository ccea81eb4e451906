/** The handle of the bottom sheet: drawn up and down, tapped, or moved with the arrow keys. */
import { useRef } from "preact/hooks";
import { say } from "../words";

const STOPS = ["peek", "half", "full"] as const;
export type SheetStop = (typeof STOPS)[number];

const TAP = 6; // pixels: a shorter move is a tap
const FLICK = 0.5; // pixels a millisecond: a faster move goes one stop on

interface Properties {
  stop: SheetStop;
  sheet: { current: HTMLElement | null };
  settle: (stop: SheetStop) => void;
}

interface Drag {
  from: number;
  height: number;
  at: number;
}

export function SheetHandle({ stop, sheet, settle }: Properties) {
  const drag = useRef<Drag | null>(null);
  const next = STOPS[(STOPS.indexOf(stop) + 1) % STOPS.length] ?? "peek";
  const grip = (event: PointerEvent & { currentTarget: HTMLElement }): void => {
    event.currentTarget.setPointerCapture(event.pointerId);
    drag.current = { from: event.clientY, height: sheet.current?.offsetHeight ?? 0, at: event.timeStamp };
  };
  const draw = (event: PointerEvent): void => {
    if (drag.current) hold(sheet.current, drag.current.height + drag.current.from - event.clientY);
  };
  const release = (event: PointerEvent): void => {
    const height = sheet.current?.offsetHeight ?? 0;
    hold(sheet.current, undefined);
    if (drag.current) settle(restingStop(stop, next, drag.current, event, height));
    drag.current = null;
  };
  const press = (event: KeyboardEvent): void => {
    const steps = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!steps) return;
    event.preventDefault();
    settle(further(stop, steps));
  };
  return (
    <button
      type="button"
      class="handle"
      aria-label={{ peek: say("sheetPeek"), half: say("sheetHalf"), full: say("sheetFull") }[next]}
      aria-expanded={stop !== "peek"}
      onPointerDown={grip}
      onPointerMove={draw}
      onPointerUp={release}
      onPointerCancel={release}
      onTouchEnd={(event) => event.cancelable && event.preventDefault()} // else the map gets a click where the sheet was
      onKeyDown={press}
      onClick={(event) => event.detail === 0 && settle(next)} // by keyboard; a tap ends in release
    />
  );
}

function hold(sheet: HTMLElement | null, height: number | undefined): void {
  sheet?.classList.toggle("dragged", height !== undefined);
  if (sheet) sheet.style.height = height === undefined ? "" : `${height}px`;
}

function further(stop: SheetStop, steps: number): SheetStop {
  return STOPS[Math.min(Math.max(STOPS.indexOf(stop) + steps, 0), STOPS.length - 1)] ?? stop;
}

/** After a tap the next stop, after a flick one stop on, else the nearest. */
function restingStop(stop: SheetStop, next: SheetStop, drag: Drag, event: PointerEvent, height: number): SheetStop {
  const moved = drag.from - event.clientY;
  if (Math.abs(moved) < TAP) return next;
  if (Math.abs(moved) / Math.max(event.timeStamp - drag.at, 1) > FLICK) return further(stop, Math.sign(moved));
  const share = height / window.innerHeight;
  return share < 0.25 ? "peek" : share < 0.62 ? "half" : "full";
}
