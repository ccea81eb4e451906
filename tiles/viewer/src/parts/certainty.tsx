/** How sure we are: the test on the past in plain words, the members' band, and the figures behind it. */
import type { Areas, Hindcast, Run } from "../commons";
import { aboutArea, exactFigure, outOf } from "../figures";
import { chosenRun, chosenStop, leadingClass, type Model } from "../model";
import { inReadersLanguage, say } from "../words";
import { EmptyNotice, Shape } from "./notice";

export function Certainty({ model }: { model: Model }) {
  return (
    <section class="certainty">
      <h2 class="heading">{say("sure")}</h2>
      <CertaintyWords model={model} />
    </section>
  );
}

/** The words alone, for whichever part has a heading of its own. */
export function CertaintyWords({ model }: { model: Model }) {
  return <div class="certainty-words">{content(model)}</div>;
}

function content(model: Model) {
  const run = chosenRun(model);
  if (!run) return model.runs.state === "loading" ? <Shape heights={[16, 16, 16]} /> : <EmptyNotice text={say("sureEmpty")} />;
  const part = model.areas.get(run.id);
  const band = part?.state === "done" ? bandInWords(part.value, chosenStop(model)?.year) : undefined;
  return (
    <>
      <p class="hindcast">{run.hindcast ? hindcastInWords(run.hindcast) : say("sureNone")}</p>
      <p>{say("sureRead")}</p>
      {band && <p class="band">{band}</p>}
      <Details run={run} />
    </>
  );
}

export function hindcastInWords({ found, randomFound, start, end }: Hindcast): string {
  const shares = outOf(found, randomFound);
  if (start === undefined || end === undefined) return say("sureHindcastNoYears", shares);
  return say("sureHindcast", { ...shares, start, end });
}

function bandInWords(areas: Areas, year: number | undefined): string | undefined {
  const leader = leadingClass([areas]);
  const row = year === undefined ? -1 : areas.years.indexOf(year);
  if (!leader || year === undefined || row < 1 || areas.members < 2) return undefined;
  const column = areas.classes.findIndex((entry) => entry.value === leader.value);
  const low = areas.low_ha?.[row]?.[column];
  const high = areas.high_ha?.[row]?.[column];
  if (low === undefined || high === undefined) return undefined;
  const words = { class: inReadersLanguage(leader.title), year, low: aboutArea(low), high: aboutArea(high) };
  // Members that differ only in where change happens have no band: to show one would feign a certainty.
  return say(words.low === words.high ? "sureSame" : "sureBand", words);
}

function Details({ run }: { run: Run }) {
  const lines: [string, string | undefined][] = [
    [say("detailMerit"), run.hindcast && exactFigure(run.hindcast.merit)],
    [say("detailRandom"), run.hindcast && exactFigure(run.hindcast.randomMerit)],
    [say("detailMembers"), run.members?.toString()],
    [say("detailSeed"), run.seed?.toString()],
    [say("detailRun"), run.id],
  ];
  return (
    <details>
      <summary>{say("details")}</summary>
      <dl>
        {lines.map(([term, value]) => value !== undefined && [<dt key={term}>{term}</dt>, <dd key={value}>{value}</dd>])}
      </dl>
    </details>
  );
}
