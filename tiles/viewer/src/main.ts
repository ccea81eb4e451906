import { Page } from "./page";
import { language } from "./words";

document.documentElement.lang = language;
new Page(document.body).start();
