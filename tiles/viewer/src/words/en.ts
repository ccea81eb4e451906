/** English. Every other language file has the same keys; {names in braces} are filled in. */
export const en = {
  // the place
  chooseLandscape: "Landscape",
  panel: "Landscape, scenarios and legend",
  synthetic: "Synthetic landscape: generated for demonstration, not a real place",
  landscapesFailed: "The landscapes could not be loaded. The server may be busy or out of reach.",
  landscapesEmpty: "There is no landscape here yet.",
  landscapesEmptyNext: "Make one with “datacommons demo”, or bring your own maps with “datacommons ingest”.",

  // scenarios
  scenarios: "What it could become",
  asBefore: "If things go on as they did {start}–{end}",
  asBeforeNoYears: "If things go on as before",
  couldGain: "{class}: could gain about {area} by {year}",
  couldLose: "{class}: could lose about {area} by {year}",
  couldStay: "{class}: could stay about the same until {year}",
  sparkline: "{class} from {start} to {end}",
  scenariosFailed: "The scenarios could not be loaded. The observed maps still work.",
  onlyObserved: "Observed maps, no scenario yet",
  scenariosEmpty: "No scenario has been run for this landscape yet.",
  scenariosEmptyNext: "Run one with “datacommons run scenario.yaml”. The observed years can be seen already.",

  // legend
  legend: "Land cover in {year}",
  legendHectares: "about ha",
  legendChange: "since {year}",
  legendFailed: "The hectares could not be loaded. The map still works.",
  legendEmpty: "The classes appear here with the first map.",
  legendNoHectares: "Hectares appear with the first scenario.",

  // how sure
  sure: "How sure is this?",
  sureHindcast:
    "Tested on the past, from {start} to {end}: this model found {found} of every {of} places that changed; pure guessing finds {guessed}.",
  sureHindcastNoYears:
    "Tested on the past: this model found {found} of every {of} places that changed; pure guessing finds {guessed}.",
  sureRead: "So read the map as one possible picture, not as a forecast for single places.",
  sureBand: "{class} in {year}: between {low} and {high} in 9 of every 10 runs.",
  sureSame: "{class} in {year}: {low} in all runs; they differ in where, not in how much.",
  sureNone: "This scenario was not tested on the past.",
  sureEmpty: "This appears with the first scenario.",
  details: "Details",
  detailMerit: "Figure of merit",
  detailRandom: "The same by guessing",
  detailMembers: "Runs (members)",
  detailSeed: "Seed",
  detailRun: "Run",

  // time
  time: "Time",
  year: "Year",
  play: "Play the years",
  pause: "Pause",
  observed: "observed",
  projection: "projection",
  yearObserved: "{year}, observed",
  yearProjected: "{year}, projection",
  timeEmpty: "The years appear here with the first map.",
  timeFailed: "The observed years could not be loaded. The projected years still work.",

  // map
  map: "Map of {landscape}",
  projectionMark: "Projection {year}",
  projectionLong: "A possible {year}, not a forecast of single places",
  relief: "Relief",
  copyLink: "Copy a link to this view",
  linkCopied: "Link copied",
  linkByHand: "Copy the address of this page to share it",
  zoomIn: "Zoom in",
  zoomOut: "Zoom out",
  mapLoading: "Loading the map of {year}",
  mapFailed: "Parts of the map of {year} could not be loaded; the map before it shows in their place.",
  mapUnreachable: "The map could not be loaded. The figures still work.",
  mapUnavailable: "This browser cannot draw the map (WebGL is missing). The figures still work.",
  reliefFailed: "The relief could not be loaded. The map still works.",

  // anywhere
  retry: "Try again",
  sheetPeek: "Show less",
  sheetHalf: "Show the legend",
  sheetFull: "Show everything",
  hectares: "{figure} ha",
  lessThanOne: "less than 1",
};

export type Words = Record<keyof typeof en, string>;
