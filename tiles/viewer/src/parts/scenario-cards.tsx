/** What it could become: one card for every scenario, to choose from. */
import type { Areas, Run } from "../commons";
import { aboutArea } from "../figures";
import {
  chosenRun,
  chosenStop,
  hectaresIn,
  historyOf,
  leadingClass,
  referenceYear,
  shownRuns,
  type Leader,
  type Model,
} from "../model";
import type { Actions } from "../actions";
import { firstSentence, inReadersLanguage, say } from "../words";
import { EmptyNotice, FailedNotice, Shape } from "./notice";
import { commonScale, Sparkline, type Scale } from "./sparkline";
import { Swatch } from "./symbols";

const SAME = 0.005; // a change below this share of the class reads "about the same"

interface Comparison {
  leader: Leader;
  scale: Scale;
}

export function ScenarioCards({ model, actions }: { model: Model; actions: Actions }) {
  return (
    <fieldset class="scenarios">
      <legend class="heading">{say("scenarios")}</legend>
      {content(model, actions)}
    </fieldset>
  );
}

/** The title of a run's card: in plain words where nothing intervenes. */
export function runTitle(run: Run, model: Model): string {
  if (!run.asBefore) return inReadersLanguage(run.title);
  const part = model.areas.get(run.id);
  const history = part?.state === "done" ? historyOf(part.value) : undefined;
  return history ? say("asBefore", { start: history[0], end: history[1] }) : say("asBeforeNoYears");
}

function content(model: Model, actions: Actions) {
  const runs = shownRuns(model);
  if (model.runs.state === "failed") return <FailedNotice text={say("scenariosFailed")} retry={actions.retry} />;
  if (model.runs.state === "loading" || model.landscapes.state === "loading") return <Shape heights={[120, 120]} />;
  if (runs.length === 0) return <EmptyNotice text={say("scenariosEmpty")} next={say("scenariosEmptyNext")} />;
  const comparison = compare(model, runs);
  return (
    <div class="cards">
      {runs.map((run) => (
        <Card key={run.id} model={model} run={run} comparison={comparison} actions={actions} />
      ))}
    </div>
  );
}

/** The class and the scale by which all cards are drawn, once any hectares are there. */
function compare(model: Model, runs: Run[]): Comparison | undefined {
  const parts = runs.map((run) => model.areas.get(run.id));
  const loaded = parts.flatMap((part) => (part?.state === "done" ? [part.value] : []));
  const leader = leadingClass(loaded);
  return leader && { leader, scale: commonScale(loaded, leader) };
}

interface CardProperties {
  model: Model;
  run: Run;
  comparison: Comparison | undefined;
  actions: Actions;
}

function Card({ model, run, comparison, actions }: CardProperties) {
  const chosen = run === chosenRun(model);
  const storyline = inReadersLanguage(run.storyline);
  return (
    <label class="card" data-run={run.id}>
      <input type="radio" name="scenario" value={run.id} checked={chosen} onChange={() => actions.choose({ run: run.id })} />
      <span class="card-title">{runTitle(run, model)}</span>
      {run.asBefore && <span class="card-name quiet">{inReadersLanguage(run.title)}</span>}
      {storyline && (
        <span class="card-story" title={storyline}>
          {firstSentence(storyline)}
        </span>
      )}
      <Outlook model={model} run={run} comparison={comparison} />
    </label>
  );
}

/** The line and the words for the class that changes most; nothing more where the hectares failed. */
function Outlook({ model, run, comparison }: Omit<CardProperties, "actions">) {
  const part = model.areas.get(run.id);
  if (part?.state === "loading") return <Shape heights={[40]} />;
  if (part?.state !== "done" || !comparison) return null;
  const { leader, scale } = comparison;
  return (
    <span class="card-outlook">
      <span class="card-change">
        <Swatch colour={leader.colour} />
        {changeInWords(part.value, leader)}
      </span>
      <Sparkline areas={part.value} leader={leader} scale={scale} year={chosenStop(model)?.year} />
    </span>
  );
}

function changeInWords(areas: Areas, leader: Leader): string {
  const column = areas.classes.findIndex((entry) => entry.value === leader.value);
  const before = hectaresIn(areas, referenceYear(areas))?.[column] ?? 0;
  const difference = (areas.area_ha.at(-1)?.[column] ?? 0) - before;
  const key = Math.abs(difference) <= SAME * before ? "couldStay" : difference > 0 ? "couldGain" : "couldLose";
  const area = aboutArea(Math.abs(difference));
  return say(key, { class: inReadersLanguage(leader.title), area, year: areas.years.at(-1) ?? "" });
}
