import { Page } from "./page";
import { embedded } from "./embedded";
import { direction, language } from "./words";

document.documentElement.lang = language;
document.documentElement.dir = direction;
document.documentElement.classList.toggle("embedded", embedded);
new Page(document.body).start();
