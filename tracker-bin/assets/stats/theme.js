// Light and dark: the system's choice, unless the reader made another.

const THEME_KEY = 'tracker-theme';
const systemDark = matchMedia('(prefers-color-scheme: dark)');
const palette = {};

let chosenTheme = null;

const isDark = () => (chosenTheme ? chosenTheme === 'dark' : systemDark.matches);

// The canvas cannot read the style's variables by itself.
const readPalette = () => {
  const style = getComputedStyle(document.documentElement);
  for (const name of ['panel', 'ink', 'grey', 'line', 'peers', 'seeders', 'torrents', 'announces', 'scrapes']) {
    palette[name] = style.getPropertyValue(`--${name}`).trim();
  }
};

// Storage may be forbidden; then the choice lasts as long as the page.
const rememberTheme = (theme) => {
  try {
    if (theme) localStorage.setItem(THEME_KEY, theme);
    else localStorage.removeItem(THEME_KEY);
  } catch { /* not remembered */ }
};

const rememberedTheme = () => {
  try {
    return localStorage.getItem(THEME_KEY);
  } catch {
    return null;
  }
};

// The style knows two themes; whose choice it is, is known here only.
const setTheme = (theme) => {
  chosenTheme = theme === 'light' || theme === 'dark' ? theme : null;
  document.documentElement.dataset.theme = isDark() ? 'dark' : 'light';
};

const startThemes = (button, changed) => {
  const refresh = () => {
    button.setAttribute('aria-label', `Switch to the ${isDark() ? 'light' : 'dark'} theme`);
    button.title = button.getAttribute('aria-label');
    readPalette();
    changed();
  };
  button.addEventListener('click', () => {
    const wanted = isDark() ? 'light' : 'dark';
    // Back at what the system says: follow it again.
    const own = (wanted === 'dark') === systemDark.matches ? null : wanted;
    setTheme(own);
    rememberTheme(own);
    refresh();
  });
  systemDark.addEventListener('change', () => {
    setTheme(chosenTheme);
    refresh();
  });
  refresh();
};

// Before the first paint, so that nothing flashes.
setTheme(rememberedTheme());
