// Where the words beside robots go, so that robots which stand close together do not write over each other.

const FONT = 1.05;
const CHARACTER_WIDTH = 0.6;
const BODY = 1.1;

/** Base lines of the places to try, in units from the middle of the robot: above, below, further above, further below. */
const PLACES = [-1.4, 2.2, -2.6, 3.4];

function boxAt(robot, y) {
  const half = (robot.words.length * CHARACTER_WIDTH * FONT * robot.unit) / 2;
  const base = robot.y + y * robot.unit;
  return { left: robot.x - half, right: robot.x + half, top: base - 0.85 * FONT * robot.unit, bottom: base + 0.2 * robot.unit };
}

function bodyOf(robot) {
  const reach = BODY * robot.unit;
  return { left: robot.x - reach, right: robot.x + reach, top: robot.y - reach, bottom: robot.y + reach };
}

function overlaps(a, b) {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

/**
 * Return the base line of each robot's words, in the order given; a robot keeps its place as long as that is free.
 *
 * Each robot is {x, y, unit, words, place} on one floor: metres in drawing coordinates, and its last base line. Names
 * are the boxes of what is written on the floor, which words cover only where there is no other place.
 */
export function placeWords(robots, names = []) {
  const taken = [];
  return robots.map((robot) => {
    const others = robots.filter((other) => other !== robot).map(bodyOf);
    const isClearOf = (boxes) => (y) => !boxes.some((box) => overlaps(boxAt(robot, y), box));
    const places = [robot.place, ...PLACES].filter(isClearOf([...others, ...taken]));
    const place = places.find(isClearOf(names)) ?? places[0] ?? PLACES[0];
    taken.push(boxAt(robot, place));
    return place;
  });
}
