/** The map as a picture to take away: with title, legend, scale, date, credits and the model's score. */
import { download } from "./csv";
import { aboutFigure } from "./figures";
import { sheetOf } from "./frames";
import { chosenLandscape, chosenRun, chosenStop, legendRows, type Model } from "./model";
import { hindcastInWords } from "./parts/certainty";
import { runTitle } from "./parts/scenario-cards";
import { legendEntries } from "./parts/theme-legend";
import { themeInWords } from "./theme-words";
import { inReadersLanguage, locale, say } from "./words";

const [WIDTH, MARGIN, SIDE] = [1600, 40, 440];
const FONT = "system-ui, sans-serif";
const [INK, QUIET, PAPER, LINE] = ["#2a2723", "#635d54", "#fbfaf7", "#8c857a"];
const ROUND = [1, 2, 5];

interface MapPicture {
  canvas: HTMLCanvasElement;
  metres: number;
}

export async function savePicture(model: Model, map: MapPicture): Promise<void> {
  const canvas = compose(model, map);
  const content = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  const stop = chosenStop(model);
  if (content) download(content, `${chosenLandscape(model)?.id ?? "landscape"}-${stop?.year ?? ""}.png`);
}

function compose(model: Model, map: MapPicture): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  const mapWidth = WIDTH - 3 * MARGIN - SIDE;
  const mapHeight = Math.round((map.canvas.height / map.canvas.width) * mapWidth);
  const [top, height] = [140, Math.min(Math.max(mapHeight, 700), 1200)];
  [canvas.width, canvas.height] = [WIDTH, top + height + 150];
  const pen = canvas.getContext("2d");
  if (!pen) return canvas;
  pen.fillStyle = PAPER;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  write(pen, headline(model), MARGIN, 70, 40, INK, WIDTH - 2 * MARGIN, 650);
  write(pen, subtitle(model), MARGIN, 112, 24, QUIET, WIDTH - 2 * MARGIN);
  const scale = Math.max(mapWidth / map.canvas.width, height / map.canvas.height);
  drawMap(pen, map.canvas, scale, { x: MARGIN, y: top, width: mapWidth, height });
  drawScale(pen, map.metres / scale, MARGIN + 16, top + height - 20);
  drawLegend(pen, model, 2 * MARGIN + mapWidth, top + 24);
  drawFoot(pen, model, top + height + 44);
  return canvas;
}

function headline(model: Model): string {
  const landscape = chosenLandscape(model);
  return landscape ? inReadersLanguage(landscape.title) : "";
}

function subtitle(model: Model): string {
  const stop = chosenStop(model);
  const run = chosenRun(model);
  if (stop?.kind !== "projected" || !run) return say("yearObserved", { year: stop?.year ?? "" });
  return `${say("yearProjected", { year: stop.year })} · ${runTitle(run, model)}`;
}

/** The middle of the map, filling its frame. */
function drawMap(
  pen: CanvasRenderingContext2D,
  map: HTMLCanvasElement,
  scale: number,
  { x, y, width, height }: { x: number; y: number; width: number; height: number },
): void {
  const [cutWidth, cutHeight] = [width / scale, height / scale];
  const [left, top] = [(map.width - cutWidth) / 2, (map.height - cutHeight) / 2];
  pen.drawImage(map, left, top, cutWidth, cutHeight, x, y, width, height);
  pen.strokeStyle = LINE;
  pen.strokeRect(x, y, width, height);
}

/** A bar of a round length, about a fifth of the map. */
function drawScale(pen: CanvasRenderingContext2D, metresPerPixel: number, x: number, y: number): void {
  const wanted = metresPerPixel * 200;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const metres = Math.max(...ROUND.map((step) => step * power).filter((length) => length <= wanted));
  const [unit, figure] = metres >= 1000 ? ["km", metres / 1000] : ["m", metres];
  pen.fillStyle = PAPER;
  pen.fillRect(x - 8, y - 34, metres / metresPerPixel + 16, 44);
  pen.fillStyle = INK;
  pen.fillRect(x, y, metres / metresPerPixel, 4);
  write(pen, `${figure.toLocaleString(locale)} ${unit}`, x, y - 10, 18, INK, 200);
}

function drawLegend(pen: CanvasRenderingContext2D, model: Model, x: number, y: number): void {
  const heading = themeInWords(model) ?? say("legend", { year: chosenStop(model)?.year ?? "" });
  let at = writeLines(pen, heading, x, y, 22, INK, SIDE) + 16;
  for (const { colour, title, figure } of legendOf(model)) {
    pen.fillStyle = colour;
    pen.fillRect(x, at - 20, 26, 26);
    write(pen, title, x + 40, at, 22, INK, SIDE - 160);
    pen.textAlign = "right";
    write(pen, figure, x + SIDE, at, 22, QUIET, 120);
    pen.textAlign = "left";
    at += 40;
  }
}

function legendOf(model: Model): { colour: string; title: string; figure: string }[] {
  const stop = chosenStop(model);
  const own = model.choice.theme === "cover" ? undefined : model.legends.get((stop && sheetOf(model, stop)?.legend) ?? "");
  if (own?.state === "done") return legendEntries(model, own.value).map((entry) => ({ ...entry, figure: "" }));
  return legendRows(model).map(({ entry, hectares }) => ({
    colour: entry.colour,
    title: inReadersLanguage(entry.title),
    figure: hectares === undefined ? "" : say("hectares", { figure: aboutFigure(hectares) }),
  }));
}

/** How sure, that it was generated where it was, from what, and when. */
function drawFoot(pen: CanvasRenderingContext2D, model: Model, y: number): void {
  const [landscape, run, stop] = [chosenLandscape(model), chosenRun(model), chosenStop(model)];
  const sure = stop?.kind === "projected" ? (run?.hindcast ? hindcastInWords(run.hindcast) : say("sureNone")) : "";
  const made = say("pictureMade", { date: new Date().toLocaleDateString(locale, { dateStyle: "long" }), address: location.origin });
  const source = run && stop?.kind === "projected" ? run.id : (stop?.kind === "observed" && stop.map.id) || "";
  const notes = [sure, landscape?.synthetic ? say("synthetic") : "", [made, source, "datacommons"].filter(Boolean).join(" · ")];
  let at = y;
  for (const note of notes.filter(Boolean)) at = writeLines(pen, note, MARGIN, at, 20, QUIET, WIDTH - 2 * MARGIN) + 6;
}

function write(
  pen: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  size: number,
  colour: string,
  most: number,
  weight = 400,
): void {
  pen.font = `${weight} ${size}px ${FONT}`;
  pen.fillStyle = colour;
  pen.fillText(text, x, y, most);
}

/** Text over as many lines as it takes; returns where the next goes. */
function writeLines(
  pen: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  size: number,
  colour: string,
  most: number,
): number {
  pen.font = `400 ${size}px ${FONT}`;
  let [line, at] = ["", y];
  for (const word of text.split(" ")) {
    const longer = line ? `${line} ${word}` : word;
    if (pen.measureText(longer).width <= most || !line) {
      line = longer;
      continue;
    }
    write(pen, line, x, at, size, colour, most);
    [line, at] = [word, at + size * 1.35];
  }
  write(pen, line, x, at, size, colour, most);
  return at + size * 1.35;
}
