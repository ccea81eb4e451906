/** The layers of the catalog: search, look, and what each is, on what terms, and where its files are. */
import { useState } from "preact/hooks";
import type { Actions } from "../actions";
import { exactFigure } from "../figures";
import type { Layer } from "../layers";
import { chosenLandscape, type Model } from "../model";
import { inReadersLanguage, say } from "../words";
import { EmptyNotice, FailedNotice, Shape } from "./notice";

const MEGABYTE = 1_000_000;

export function LayersDrawer({ model, actions }: { model: Model; actions: Actions }) {
  const [asked, setAsked] = useState("");
  const { layers } = model;
  if (layers.state === "failed") return <FailedNotice text={say("layersFailed")} retry={actions.retry} />;
  if (layers.state === "loading") return <Shape heights={[44, 64, 64, 64]} />;
  const landscape = chosenLandscape(model)?.id;
  const own = layers.value.filter((layer) => layer.landscape === landscape);
  if (own.length === 0) return <EmptyNotice text={say("layersEmpty")} next={say("landscapesEmptyNext")} />;
  const found = own.filter((layer) => matches(layer, asked));
  return (
    <>
      <label class="field">
        <span class="heading">{say("search")}</span>
        <input type="search" value={asked} onInput={(event) => setAsked(event.currentTarget.value)} />
      </label>
      <p class="quiet" role="status">
        {say("layersFound", { count: found.length, of: own.length })}
      </p>
      <ul class="layers">
        {found.map((layer) => (
          <LayerCard key={layer.key} layer={layer} model={model} actions={actions} />
        ))}
      </ul>
    </>
  );
}

/** Every word somewhere in its names or its description. */
function matches(layer: Layer, asked: string): boolean {
  const told = [layer.id, inReadersLanguage(layer.title), inReadersLanguage(layer.description), layer.collectionTitle];
  const text = told.join(" ").toLocaleLowerCase();
  return asked
    .toLocaleLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

function LayerCard({ layer, model, actions }: { layer: Layer; model: Model; actions: Actions }) {
  const shown = model.choice.theme === "layer" && model.choice.layer === layer.key;
  const description = inReadersLanguage(layer.description);
  const show = (): void => actions.choose(shown ? { theme: "cover", layer: undefined } : { theme: "layer", layer: layer.key, swipe: false });
  return (
    <li class="layer">
      {layer.thumbnail && <img src={layer.thumbnail} alt="" width="56" height="56" loading="lazy" />}
      <div class="layer-name">
        <h3>{inReadersLanguage(layer.title)}</h3>
        <p class="quiet">{[layer.collectionTitle, layer.year].filter(Boolean).join(" · ")}</p>
      </div>
      {layer.drawn && (
        <button type="button" class="button" aria-pressed={shown} onClick={show}>
          {say(shown ? "layerHide" : "layerShow")}
          <span class="unseen"> {inReadersLanguage(layer.title)}</span>
        </button>
      )}
      <details>
        <summary>{say("layerAbout")}</summary>
        {description && <p>{description}</p>}
        <Facts layer={layer} />
        <ul class="downloads">
          {layer.downloads.map(({ title, href, size }) => (
            <li key={href}>
              <a href={href} download>
                {say("downloadFile", { name: title })}
              </a>
              {size !== undefined && <span class="quiet"> {say("megabytes", { figure: exactFigure(size / MEGABYTE) })}</span>}
            </li>
          ))}
          <li>
            <a href={layer.item}>{say("layerItem")}</a>
          </li>
        </ul>
      </details>
    </li>
  );
}

function Facts({ layer }: { layer: Layer }) {
  const facts: [string, string][] = [
    [say("layerLicence"), layer.licence],
    [say("layerCitation"), layer.citation || citationOf(layer)],
    [say("layerProviders"), layer.providers.join("; ")],
    [say("layerCell"), layer.cellSize === undefined ? "" : say("metres", { figure: exactFigure(layer.cellSize) })],
    [say("layerUnit"), layer.unit],
    [say("layerOrigin"), layer.synthetic ? say("synthetic") : ""],
  ];
  return (
    <dl>
      {facts.map(([term, fact]) => fact && [<dt key={term}>{term}</dt>, <dd key={`${term}-fact`}>{fact}</dd>])}
    </dl>
  );
}

/** Who, what, when, where: for a layer that says nothing of its own. */
function citationOf({ providers, title, year, item }: Layer): string {
  const who = providers.join(", ");
  return [who, inReadersLanguage(title), year, item].filter(Boolean).join(". ");
}
