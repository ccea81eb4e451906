/** A point through the years: which class it is under each scenario, and how sure that is. */
import type { Course } from "../questions";
import { chosenStop, shownRuns, type Model } from "../model";
import { inReadersLanguage, say } from "../words";
import { runTitle } from "./scenario-cards";
import { Swatch } from "./symbols";

interface Spell {
  title: string;
  colour: string;
  start: number;
  end: number;
}

export function PointAnswer({ model, courses }: { model: Model; courses: Course[] }) {
  const runs = shownRuns(model);
  const year = chosenStop(model)?.year;
  return (
    <ul class="courses">
      {courses.map((course) => {
        const run = runs.find(({ id }) => id === course.run);
        return (
          <li key={course.run} class="course">
            <h3>{run ? runTitle(run, model) : course.run}</h3>
            <Strip spells={spellsOf(course)} />
            <p>{nowInWords(course, year)}</p>
          </li>
        );
      })}
    </ul>
  );
}

/** Years of the same class taken together. */
function spellsOf({ years, found }: Course): Spell[] {
  const spells: Spell[] = [];
  years.forEach((year, index) => {
    const entry = found[index];
    const title = entry ? inReadersLanguage(entry.title) : "";
    const last = spells.at(-1);
    if (last?.title === title) last.end = year;
    else spells.push({ title, colour: entry?.colour ?? "transparent", start: year, end: year });
  });
  return spells;
}

function Strip({ spells }: { spells: Spell[] }) {
  return (
    <>
      <div class="strip" aria-hidden="true">
        {spells.map(({ start, end, colour }) => (
          <span key={start} style={{ backgroundColor: colour, flexGrow: end - start + 1 }} />
        ))}
      </div>
      <ol class="spells">
        {spells.map(({ title, colour, start, end }) => (
          <li key={start}>
            <Swatch colour={colour} />
            {title} <span class="quiet">{start === end ? start : `${start}–${end}`}</span>
          </li>
        ))}
      </ol>
    </>
  );
}

function nowInWords({ years, found, chances }: Course, year: number | undefined): string {
  const index = Math.max(years.indexOf(year ?? NaN), -1);
  const chance = chances[index];
  const entry = found[index];
  if (index < 0 || !entry || chance === undefined) return "";
  return say("pointChance", { class: inReadersLanguage(entry.title), year: years[index] ?? "", share: Math.round(chance * 100) });
}
