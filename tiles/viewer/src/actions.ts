/** What the parts of the page can ask for. */
export interface Actions {
  chooseLandscape: (id: string) => void;
  chooseRun: (id: string) => void;
  chooseYear: (year: number) => void;
  /** So many years on or back, among those that there are. */
  step: (steps: number) => void;
  togglePlay: () => void;
  toggleRelief: () => void;
  /** Load again whatever failed. */
  retry: () => void;
  openMap: (container: HTMLElement) => void;
}
