/** While an area is drawn: how to go on, and the way out. */
import type { Actions } from "../actions";
import { say } from "../words";

const FEWEST = 3;

export function DrawingTools({ corners, actions }: { corners: number; actions: Actions }) {
  return (
    <div class="drawing" role="group" aria-label={say("drawArea")}>
      <span class="crosshair" aria-hidden="true" />
      <div class="drawing-bar">
        <p role="status">{corners < FEWEST ? say("drawCorners", { corners }) : say("drawMore", { corners })}</p>
        <button type="button" class="button" onClick={actions.addCorner}>
          {say("drawAdd")}
        </button>
        <button type="button" class="button" onClick={actions.undoCorner} disabled={corners === 0}>
          {say("drawUndo")}
        </button>
        <button type="button" class="button strong" onClick={() => actions.endDrawing(true)} disabled={corners < FEWEST}>
          {say("drawDone")}
        </button>
        <button type="button" class="button" onClick={() => actions.endDrawing(false)}>
          {say("cancel")}
        </button>
      </div>
    </div>
  );
}
