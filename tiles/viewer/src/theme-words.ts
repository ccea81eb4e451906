/** What the map shows, in words. */
import { comparedStop } from "./comparison";
import { chosenClass, chosenStop, type Model } from "./model";
import { inReadersLanguage, say } from "./words";

/** What the map shows where it is not land cover. */
export function themeInWords(model: Model): string | undefined {
  const { theme } = model.choice;
  const stop = chosenStop(model);
  const title = inReadersLanguage(chosenClass(model)?.title ?? "");
  if (theme === "first-change") return say("themeFirstChange");
  if (theme === "probability" && stop?.kind === "projected") return say("themeProbability", { class: title, year: stop.year });
  const before = comparedStop(model);
  if (theme === "difference" && before && stop?.kind === "projected") return say("themeDifference", { before: before.year, after: stop.year });
  const layer = model.layers.state === "done" && model.layers.value.find(({ key }) => key === model.choice.layer);
  return theme === "layer" && layer ? inReadersLanguage(layer.title) : undefined;
}
