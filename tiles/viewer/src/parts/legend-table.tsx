/** The classes with their hectares in the shown year and the change since the start of the projection. */
import { aboutChange, aboutFigure } from "../figures";
import { chosenAreas, chosenStop, isLoading, legendRows, referenceYear, shownRuns, type LegendRow, type Model } from "../model";
import type { Actions } from "../actions";
import { inReadersLanguage, say } from "../words";
import { EmptyNotice, FailedNotice, Shape } from "./notice";
import { Swatch } from "./symbols";
import { VeilSwitch } from "./veil-switch";
import { hasOwnLegend, ThemeLegend } from "./theme-legend";

export function LegendTable({ model, actions }: { model: Model; actions: Actions }) {
  if (hasOwnLegend(model)) return <ThemeLegend model={model} actions={actions} />;
  const areas = chosenAreas(model);
  const rows = legendRows(model);
  const failed = areas?.state === "failed";
  const noRun = model.runs.state === "done" && shownRuns(model).length === 0;
  return (
    <section class="legend">
      {failed && <FailedNotice text={say("legendFailed")} retry={actions.retry} />}
      {rows.length > 0 && <Table model={model} rows={rows} />}
      <VeilSwitch model={model} actions={actions} />
      {rows.length > 0 && noRun && <p class="quiet">{say("legendNoHectares")}</p>}
      {rows.length === 0 && !failed && <Missing model={model} />}
    </section>
  );
}

function Missing({ model }: { model: Model }) {
  const loading = isLoading(model) || chosenAreas(model)?.state === "loading";
  return loading ? <Shape heights={[20, 28, 28, 28, 28]} /> : <EmptyNotice text={say("legendEmpty")} />;
}

function Table({ model, rows }: { model: Model; rows: LegendRow[] }) {
  const part = chosenAreas(model);
  const changing = rows.some((row) => row.change !== undefined);
  return (
    <table class={changing ? undefined : "unchanging"}>
      <caption class="heading">{say("legend", { year: chosenStop(model)?.year ?? "" })}</caption>
      {part?.state === "done" && (
        <thead>
          <tr>
            <td />
            <th scope="col">{say("legendHectares")}</th>
            <th scope="col" class="change">
              {say("legendChange", { year: referenceYear(part.value) ?? "" })}
            </th>
          </tr>
        </thead>
      )}
      <tbody>
        {rows.map((row) => (
          <Row key={row.entry.value} row={row} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ row: { entry, hectares, change } }: { row: LegendRow }) {
  return (
    <tr data-class={entry.value}>
      <th scope="row">
        <span class="class-name">
          <Swatch colour={entry.colour} />
          {inReadersLanguage(entry.title)}
        </span>
      </th>
      <td>{hectares !== undefined && <data value={hectares}>{aboutFigure(hectares)}</data>}</td>
      <td class="change">{change !== undefined && <data value={change}>{aboutChange(change)}</data>}</td>
    </tr>
  );
}
