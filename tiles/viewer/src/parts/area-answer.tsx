/** An area through the years: hectares of a class under each scenario, as a chart and a table, and to take away. */
import { lazy, Suspense } from "preact/compat";
import type { Actions } from "../actions";
import { downloadTable } from "../csv";
import { aboutArea, aboutChange, aboutFigure } from "../figures";
import { chosenClass, chosenRun, chosenStop, classesOf, shownRuns, type Model } from "../model";
import type { Series } from "../questions";
import { inReadersLanguage, say } from "../words";
import { Select } from "./fields";
import { Shape } from "./notice";
import { runTitle } from "./scenario-cards";

const Chart = lazy(() => import("./chart"));

interface Properties {
  model: Model;
  actions: Actions;
  series: Series[];
  hectares: number | undefined;
}

/** The hectares of the whole landscape, as the runs have them. */
export function wholeSeries(model: Model): Series[] {
  return shownRuns(model).flatMap(({ id }) => {
    const part = model.areas.get(id);
    if (part?.state !== "done") return [];
    const { classes, years, area_ha, low_ha, high_ha, members } = part.value;
    const banded = members > 1 && low_ha && high_ha;
    return [{ run: id, classes, years, area_ha, low_ha: banded ? low_ha : undefined, high_ha: banded ? high_ha : undefined }];
  });
}

export function AreaAnswer({ model, actions, series, hectares }: Properties) {
  const entry = chosenClass(model);
  if (!entry || series.length === 0) return null;
  const title = inReadersLanguage(entry.title);
  const banded = series.some(({ low_ha }) => low_ha);
  return (
    <>
      {hectares !== undefined && <p class="area-size">{say("areaSize", { area: aboutArea(hectares) })}</p>}
      <Select
        label={say("class")}
        value={entry.name}
        options={classesOf(model).map((one) => [one.name, inReadersLanguage(one.title)])}
        choose={(name) => actions.choose({ class: name })}
      />
      <Suspense fallback={<Shape heights={[180]} />}>
        <Chart model={model} series={series} entry={entry} label={say("chartLabel", { class: title })} />
      </Suspense>
      {banded && <p class="quiet">{say("chartBand")}</p>}
      <Table model={model} series={series} />
      <div class="buttons">
        <button type="button" class="button" onClick={() => downloadTable(model, series)}>
          {say("downloadTable")}
        </button>
        <button type="button" class="button" onClick={() => void actions.savePicture()}>
          {say("downloadPicture")}
        </button>
      </div>
    </>
  );
}

/** Hectares by class in the shown year, for the scenarios side by side. */
function Table({ model, series }: { model: Model; series: Series[] }) {
  const stop = chosenStop(model);
  const runs = shownRuns(model);
  const year = stop?.year ?? NaN;
  const first = series[0];
  if (!first) return null;
  const row = first.years.includes(year) ? year : (first.years.at(-1) ?? year);
  const caption = say("tableCaption", { year: row, since: first.years[0] ?? "" });
  return (
    <div class="side-by-side" tabIndex={0} role="region" aria-label={caption}>
      <table>
        <caption class="heading">{caption}</caption>
        <thead>
          <tr>
            <td />
            {series.map(({ run }) => {
              const found = runs.find(({ id }) => id === run);
              return (
                <th key={run} scope="col" data-chosen={run === chosenRun(model)?.id || undefined}>
                  {found ? runTitle(found, model) : run}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {first.classes.map((entry, column) => (
            <tr key={entry.value} data-class={entry.value}>
              <th scope="row">{inReadersLanguage(entry.title)}</th>
              {series.map((one) => (
                <Cell key={one.run} series={one} year={row} column={column} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cell({ series, year, column }: { series: Series; year: number; column: number }) {
  const now = series.area_ha[series.years.indexOf(year)]?.[column] ?? 0;
  const change = now - (series.area_ha[0]?.[column] ?? 0);
  return (
    <td>
      <data value={now}>{aboutFigure(now)}</data>
      <span class="quiet">{aboutChange(change)}</span>
    </td>
  );
}
