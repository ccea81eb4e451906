/** Lines of one class through the years, one for every scenario, with the members' band. */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { LandClass } from "../commons";
import { aboutFigure } from "../figures";
import { chosenRun, chosenStop, shownRuns, type Model } from "../model";
import type { Series } from "../questions";
import { runTitle } from "./scenario-cards";

const HEIGHT = 200;
const DASHES: number[][] = [[], [8, 5], [2, 4], [10, 4, 2, 4], [4, 4]];
const FONT = "13px system-ui, sans-serif";

interface Properties {
  model: Model;
  series: Series[];
  entry: LandClass;
  label: string;
}

interface Line {
  title: string;
  chosen: boolean;
  dash: number[];
  values: number[];
  low: number[] | undefined;
  high: number[] | undefined;
}

export default function Chart({ model, series, entry, label }: Properties) {
  const frame = useRef<HTMLDivElement>(null);
  const years = series[0]?.years ?? [];
  const lines = linesOf(model, series, entry);
  const shown = chosenStop(model)?.year;
  const key = JSON.stringify([years, lines, shown]);
  useEffect(() => {
    const element = frame.current;
    if (!element) return undefined;
    const draw = (): uPlot => new uPlot(optionsOf(element, lines, shown), dataOf(years, lines), element);
    let chart = draw();
    const redraw = (): void => {
      chart.destroy();
      chart = draw();
    };
    const watcher = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: HEIGHT }));
    watcher.observe(element);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", redraw);
    return () => {
      watcher.disconnect();
      scheme.removeEventListener("change", redraw);
      chart.destroy();
    };
  }, [key]);
  return (
    <figure class="chart">
      <div class="chart-frame" ref={frame} role="img" aria-label={label} />
      <figcaption>
        {lines.map(({ title, dash, chosen }) => (
          <span key={title} class="chart-key" data-chosen={chosen || undefined}>
            <svg viewBox="0 0 28 8" width="28" height="8" aria-hidden="true">
              <path d="M0 4h28" stroke-dasharray={dash.join(" ")} />
            </svg>
            {title}
          </span>
        ))}
      </figcaption>
    </figure>
  );
}

function linesOf(model: Model, series: Series[], entry: LandClass): Line[] {
  const runs = shownRuns(model);
  return series.map((one, index) => {
    const column = one.classes.findIndex(({ name }) => name === entry.name);
    const of = (rows: number[][] | undefined): number[] | undefined => rows?.map((row) => row[column] ?? 0);
    const run = runs.find(({ id }) => id === one.run);
    return {
      title: run ? runTitle(run, model) : one.run,
      chosen: one.run === chosenRun(model)?.id,
      dash: DASHES[index % DASHES.length] ?? [],
      values: of(one.area_ha) ?? [],
      low: of(one.low_ha),
      high: of(one.high_ha),
    };
  });
}

/** Every line, then both edges of the chosen one's band. */
function dataOf(years: number[], lines: Line[]): uPlot.AlignedData {
  const { low, high } = lines.find(({ chosen }) => chosen) ?? {};
  return [years, ...lines.map(({ values }) => values), ...(low && high ? [high, low] : [])];
}

function optionsOf(element: HTMLElement, lines: Line[], year: number | undefined): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const [ink, quiet, grid] = [colour("--ink"), colour("--ink-quiet"), colour("--line")];
  const chosen = lines.find((line) => line.chosen);
  const banded = Boolean(chosen?.low && chosen.high);
  const edge: uPlot.Series = { stroke: "transparent", points: { show: false } };
  const axis = { stroke: quiet, font: FONT, grid: { stroke: grid, width: 1 }, ticks: { show: false } };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false } },
    axes: [
      { ...axis, size: 28, grid: { show: false }, values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? String(tick) : "")) },
      { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => (tick === 0 ? "0" : aboutFigure(tick))) },
    ],
    series: [
      {},
      ...lines.map((line): uPlot.Series => ({
        stroke: line.chosen ? ink : quiet,
        width: line.chosen ? 2.5 : 1.5,
        dash: line.dash,
        points: { show: false },
      })),
      ...(banded ? [edge, edge] : []),
    ],
    ...(banded ? { bands: [{ series: [lines.length + 1, lines.length + 2], fill: `${quiet}38` }] } : {}),
    hooks: { drawAxes: [(chart) => markYear(chart, year, quiet)] },
  };
}

/** A line where the shown year is. */
function markYear(chart: uPlot, year: number | undefined, colour: string): void {
  if (year === undefined) return;
  const x = chart.valToPos(year, "x", true);
  const { left, top, width, height } = chart.bbox;
  if (x < left || x > left + width) return;
  chart.ctx.save();
  chart.ctx.strokeStyle = colour;
  chart.ctx.setLineDash([2, 4]);
  chart.ctx.beginPath();
  chart.ctx.moveTo(x, top);
  chart.ctx.lineTo(x, top + height);
  chart.ctx.stroke();
  chart.ctx.restore();
}
