/** A small line of one class through the projected years, with the members' band and the shown year. */
import type { Areas } from "../commons";
import { referenceYear, type Leader } from "../model";
import { inReadersLanguage, say } from "../words";

const WIDTH = 124;
const HEIGHT = 40;
const EDGE = 5; // room for the dot at either end

export interface Scale {
  low: number;
  high: number;
}

interface Series {
  years: number[];
  middle: number[];
  low: number[];
  high: number[];
}

interface Properties {
  areas: Areas;
  leader: Leader;
  scale: Scale;
  year: number | undefined;
}

/** One scale for the cards of a landscape, so that their lines compare. */
export function commonScale(all: Areas[], leader: Leader): Scale {
  const values = all.map((areas) => seriesOf(areas, leader)).flatMap(({ low, high, middle }) => [...low, ...high, ...middle]);
  return { low: Math.min(...values), high: Math.max(...values) };
}

export function Sparkline({ areas, leader, scale, year }: Properties) {
  const { years, middle, low, high } = seriesOf(areas, leader);
  const x = (index: number): number => round(EDGE + (index / Math.max(years.length - 1, 1)) * (WIDTH - 2 * EDGE));
  const reach = scale.high - scale.low || 1;
  const y = (value: number): number => round(HEIGHT - EDGE - ((value - scale.low) / reach) * (HEIGHT - 2 * EDGE));
  const points = (values: number[]): string[] => values.map((value, index) => `${x(index)} ${y(value)}`);
  const label = say("sparkline", { class: inReadersLanguage(leader.title), start: years[0] ?? "", end: years.at(-1) ?? "" });
  const shown = year === undefined ? -1 : years.indexOf(year);
  return (
    <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      <path class="sparkline-level" d={`M${EDGE} ${y(middle[0] ?? 0)}H${WIDTH - EDGE}`} />
      <path class="sparkline-band" d={`M${[...points(high), ...points(low).reverse()].join("L")}Z`} />
      <path class="sparkline-line" d={`M${points(middle).join("L")}`} />
      {shown >= 0 && <circle class="sparkline-dot" cx={x(shown)} cy={y(middle[shown] ?? 0)} r="4" />}
    </svg>
  );
}

function seriesOf(areas: Areas, leader: Leader): Series {
  const column = areas.classes.findIndex((entry) => entry.value === leader.value);
  const first = Math.max(areas.years.indexOf(referenceYear(areas) ?? NaN), 0);
  const of = (rows: number[][] | undefined): number[] =>
    areas.area_ha.slice(first).map((row, index) => rows?.[first + index]?.[column] ?? row[column] ?? 0);
  return { years: areas.years.slice(first), middle: of(areas.area_ha), low: of(areas.low_ha), high: of(areas.high_ha) };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
