/** The years: observed ones as solid marks, projected ones as a hatched track, a slider and a play button. */
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { chosenStop, isLoading, nearest, stops, type Model, type Stop } from "../model";
import type { Actions } from "../actions";
import { say } from "../words";
import { EmptyNotice, FailedNotice, Shape } from "./notice";
import { Icon } from "./symbols";

const PLAY = "M8 5v14l11-7z";
const PAUSE = "M7 5h4v14H7zm6 0h4v14h-4z";
const LABEL_WIDTH = 52; // pixels that a year label needs
const STEPS: Record<string, number> = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -5, PageUp: 5 };

export function TimeBar({ model, actions }: { model: Model; actions: Actions }) {
  const stop = chosenStop(model);
  const failed = model.observed.state === "failed";
  return (
    <section class="time" aria-label={say("time")} data-kind={stop?.kind}>
      {stop && <Bar model={model} stop={stop} actions={actions} />}
      {failed && <FailedNotice text={say("timeFailed")} retry={actions.retry} />}
      {!stop && !failed && (isLoading(model) ? <Shape heights={[52]} /> : <EmptyNotice text={say("timeEmpty")} />)}
    </section>
  );
}

function Bar({ model, stop, actions }: { model: Model; stop: Stop; actions: Actions }) {
  const all = stops(model);
  return (
    <div class="time-bar">
      <button
        type="button"
        class="play"
        aria-label={say(model.playing ? "pause" : "play")}
        disabled={all.length < 2}
        onClick={actions.togglePlay}
      >
        <Icon path={model.playing ? PAUSE : PLAY} />
      </button>
      <div class="year">
        <output class="year-figure" for="year">
          {stop.year}
        </output>
        <span class="year-kind">{say(stop.kind === "projected" ? "projection" : "observed")}</span>
      </div>
      <div class="track">
        <Marks all={all} />
        <Slider all={all} stop={stop} actions={actions} />
      </div>
    </div>
  );
}

function Slider({ all, stop, actions }: { all: Stop[]; stop: Stop; actions: Actions }) {
  const slide = (slider: HTMLInputElement): void => {
    const chosen = nearest(all, slider.valueAsNumber);
    if (!chosen) return;
    slider.value = String(chosen.year); // the thumb rests on years that there are
    actions.chooseYear(chosen.year);
  };
  const press = (event: KeyboardEvent): void => {
    const steps = STEPS[event.key];
    if (steps === undefined) return;
    event.preventDefault();
    actions.step(steps);
  };
  return (
    <input
      type="range"
      id="year"
      aria-label={say("year")}
      aria-valuetext={say(stop.kind === "projected" ? "yearProjected" : "yearObserved", { year: stop.year })}
      min={all[0]?.year}
      max={all.at(-1)?.year}
      step={1}
      value={stop.year}
      disabled={all.length < 2}
      onInput={(event) => slide(event.currentTarget)}
      onKeyDown={press}
    />
  );
}

function Marks({ all }: { all: Stop[] }) {
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const watcher = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 0));
    if (frame.current) watcher.observe(frame.current);
    return () => watcher.disconnect();
  }, []);
  const first = all[0]?.year ?? 0;
  const span = (all.at(-1)?.year ?? 0) - first || 1;
  const percent = (year: number): string => `${((year - first) / span) * 100}%`;
  const observed = all.filter((stop) => stop.kind === "observed").map((stop) => stop.year);
  const start = observed.at(-1) ?? first;
  return (
    <div class="track-marks" aria-hidden="true" ref={frame}>
      <span class="track-past" style={{ insetInlineStart: 0, width: percent(start) }} />
      <span class="track-future" style={{ insetInlineStart: percent(start), insetInlineEnd: 0 }} />
      {observed.map((year) => (
        <span key={year} class="track-mark" style={{ insetInlineStart: percent(year) }} />
      ))}
      {labelledYears(all, (LABEL_WIDTH / (width || 1)) * span).map((year) => (
        <span key={`label-${year}`} class="track-label" style={{ insetInlineStart: percent(year) }}>
          {year}
        </span>
      ))}
    </div>
  );
}

/** The years to label, so many years apart at least: the ends, the observed ones, then round ones. */
function labelledYears(all: Stop[], apart: number): number[] {
  const observed = all.filter((stop) => stop.kind === "observed").map((stop) => stop.year);
  const years = all.map((stop) => stop.year);
  const decades = years.filter((year) => year % 10 === 0);
  const fives = years.filter((year) => year % 10 === 5);
  const wanted = [years[0], years.at(-1), observed.at(-1), ...observed, ...decades, ...fives];
  const chosen: number[] = [];
  for (const year of wanted) {
    if (year !== undefined && chosen.every((other) => Math.abs(other - year) >= apart)) chosen.push(year);
  }
  return chosen;
}
