import type { Choice } from "./choice";
import type { Place } from "./place";
import type { PlanDraft } from "./plans";

/** What the parts of the page can ask for. */
export interface Actions {
  chooseLandscape: (id: string) => void;
  /** Take over whatever is given; all else stays. */
  choose: (choice: Partial<Choice>) => void;
  chooseYear: (year: number) => void;
  /** So many years on or back, among those that there are. */
  step: (steps: number) => void;
  togglePlay: () => void;
  toggleRelief: () => void;
  /** Ask about a place, and look at the answer. */
  choosePlace: (place: Place | undefined) => void;
  startDrawing: () => void;
  /** A corner where the middle of the map is, for those who do not point. */
  addCorner: () => void;
  undoCorner: () => void;
  endDrawing: (keep: boolean) => void;
  sendPlan: (title: string, draft: PlanDraft) => void;
  cancelPlan: () => void;
  planAgain: () => void;
  savePicture: () => Promise<void>;
  /** Load again whatever failed. */
  retry: () => void;
  openMap: (container: HTMLElement) => void;
}
