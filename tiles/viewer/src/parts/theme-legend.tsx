/** The legend of a map that is not land cover: what changed, how likely, when, or a layer's own. */
import type { Actions } from "../actions";
import { comparedStop } from "../comparison";
import { sheetOf } from "../frames";
import { chosenClass, chosenStop, type Model, type Part } from "../model";
import type { SheetLegend } from "../sheet-legend";
import { themeInWords } from "../theme-words";
import { inReadersLanguage, say, type Key } from "../words";
import { FailedNotice, Shape } from "./notice";
import { Swatch } from "./symbols";

const UNCHANGED = "#dad5ca"; // as the server draws it
const CHANCES: Record<string, Key> = {
  "very-unlikely": "veryUnlikely",
  unlikely: "unlikely",
  "as-likely-as-not": "asLikelyAsNot",
  likely: "likely",
  "very-likely": "veryLikely",
};
const STATES: Record<string, Key> = { gained: "gained", lost: "lost", kept: "kept", other: "otherChange" };

/** Whether what the map shows has a legend other than that of the land cover. */
export function hasOwnLegend(model: Model): boolean {
  const stop = chosenStop(model);
  return model.choice.theme !== "cover" && themeInWords(model) !== undefined && Boolean(stop && sheetOf(model, stop)?.legend);
}

export function ThemeLegend({ model, actions }: { model: Model; actions: Actions }) {
  const stop = chosenStop(model);
  const part = model.legends.get((stop && sheetOf(model, stop)?.legend) ?? "");
  return (
    <section class="legend theme-legend">
      <h2 class="heading">{themeInWords(model)}</h2>
      <Content model={model} part={part} retry={actions.retry} />
      <button type="button" class="button" onClick={() => actions.choose({ theme: "cover", swipe: false })}>
        {say("backToCover")}
      </button>
    </section>
  );
}

function Content({ model, part, retry }: { model: Model; part: Part<SheetLegend> | undefined; retry: () => void }) {
  if (part?.state === "failed") return <FailedNotice text={say("themeLegendFailed")} retry={retry} />;
  if (part?.state !== "done") return <Shape heights={[24, 24, 24]} />;
  const { stops, unit } = part.value;
  if (stops.length > 0) return <Ramp stops={stops} unit={unit} />;
  return (
    <ul class="keys">
      {legendEntries(model, part.value).map(({ colour, title }) => (
        <li key={title}>
          <Swatch colour={colour} />
          {title}
        </li>
      ))}
    </ul>
  );
}

/** The colours of what the map shows, in words. */
export function legendEntries(model: Model, { entries, stops }: SheetLegend): { colour: string; title: string }[] {
  if (stops.length > 0) return stops.map(({ colour, label }) => ({ colour, title: label }));
  const rows = entries.map((entry) => ({ colour: entry.colour, title: titleOf(model, entry) }));
  const bare = model.choice.theme === "difference" && !model.choice.class;
  return bare ? [...rows, { colour: UNCHANGED, title: say("unchanged") }] : rows;
}

function titleOf(model: Model, { name, title }: { name: string; title: SheetLegend["entries"][number]["title"] }): string {
  const { theme } = model.choice;
  const own = inReadersLanguage(title);
  const chance = CHANCES[name];
  if (theme === "probability" && chance) return say(chance);
  if (theme !== "difference") return own;
  const state = STATES[name];
  const chosen = inReadersLanguage(chosenClass(model)?.title ?? "");
  if (model.choice.class && state) return say(state, { class: chosen, since: comparedStop(model)?.year ?? "" });
  return say("became", { class: own });
}

function Ramp({ stops, unit }: { stops: SheetLegend["stops"]; unit: string }) {
  const [first, last] = [stops[0], stops.at(-1)];
  return (
    <figure class="ramp">
      <div class="ramp-colours" aria-hidden="true">
        {stops.map(({ value, colour }) => (
          <span key={value} style={{ backgroundColor: colour }} />
        ))}
      </div>
      <figcaption>
        <span>{first?.label}</span>
        <span class="unseen">–</span>
        <span>{last?.label}</span>
        {unit && <span class="unseen">{unit}</span>}
      </figcaption>
    </figure>
  );
}
