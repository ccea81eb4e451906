/** The part of the page that is open beside the map: at the right where there is room, else over the sheet. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Actions } from "../actions";
import type { Drawer } from "../choice";
import type { Model } from "../model";
import { say, type Key } from "../words";
import { CompareDrawer } from "./compare-drawer";
import { HereDrawer } from "./here-drawer";
import { LayersDrawer } from "./layers-drawer";
import { PlanDrawer } from "./plan-drawer";
import { SureDrawer } from "./sure-drawer";
import { Icon } from "./symbols";

const CLOSE = "M6 6l12 12M18 6L6 18";
const TITLES: Record<Drawer, Key> = { compare: "compare", sure: "sureShort", here: "here", plan: "plan", layers: "layers" };

export function DrawerArea({ model, actions }: { model: Model; actions: Actions }) {
  const { drawer } = model.choice;
  useEffect(() => {
    document.documentElement.classList.toggle("with-drawer", drawer !== undefined);
  }, [drawer]);
  if (!drawer || model.drawing) return null;
  return (
    <Frame key={drawer} drawer={drawer} close={() => actions.choose({ drawer: undefined })}>
      {drawer === "compare" && <CompareDrawer model={model} actions={actions} />}
      {drawer === "sure" && <SureDrawer model={model} actions={actions} />}
      {drawer === "here" && <HereDrawer model={model} actions={actions} />}
      {drawer === "plan" && <PlanDrawer model={model} actions={actions} />}
      {drawer === "layers" && <LayersDrawer model={model} actions={actions} />}
    </Frame>
  );
}

function Frame({ drawer, close, children }: { drawer: Drawer; close: () => void; children: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  // Whoever opened it by keyboard goes on in it; on opening by address, or by a tap on the map, nothing moves.
  useEffect(() => {
    const opener = document.activeElement?.closest<HTMLElement>(".tools button");
    if (opener) heading.current?.focus();
    return () => {
      const inside = document.activeElement === document.body || document.activeElement?.closest(".drawer");
      if (inside) opener?.focus();
    };
  }, []);
  return (
    <section class="drawer" data-drawer={drawer} aria-label={say(TITLES[drawer])}>
      <header class="drawer-head">
        <h2 tabIndex={-1} ref={heading}>
          {say(TITLES[drawer])}
        </h2>
        <button type="button" class="close" onClick={close} title={say("close")}>
          <Icon path={CLOSE} lines />
          <span class="unseen">{say("close")}</span>
        </button>
      </header>
      <div class="drawer-content">{children}</div>
    </section>
  );
}
