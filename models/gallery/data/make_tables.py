#!/usr/bin/env python3
"""Writes the tables beside it: numbers drawn by stated rules, so free of anybody's rights.

homes.csv    price = 30 + 2.4 area + 9 rooms - 0.7 age + 25 if garden + N(0, 12)
visits.csv   visitors ~ Poisson(exp(1.2 + 0.05 temperature - 0.9 rain + 0.6 weekend))
ratings.csv  stars = 3.4 + user's leaning + item's fame + taste . trait (rank 2) + N(0, 0.3), rounded to halves, 1 to 5
"""
import csv
import math
import pathlib
import random


def write(name, header, rows):
    with open(pathlib.Path(__file__).parent / name, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def poisson(draw, rate):
    """Knuth's product of uniforms."""
    count, product, limit = -1, 1.0, math.exp(-rate)
    while product > limit or count < 0:
        count, product = count + 1, product * draw.random()
    return count


def homes(draw):
    for _ in range(400):
        area, age, garden = draw.uniform(30, 160), draw.randint(0, 80), draw.choice(["yes", "no"])
        rooms = max(1, round(area / 28 + draw.gauss(0, 0.7)))
        price = 30 + 2.4 * area + 9 * rooms - 0.7 * age + 25 * (garden == "yes") + draw.gauss(0, 12)
        yield round(area, 1), rooms, age, garden, round(price, 1)


def visits(draw):
    for day in range(400):
        temperature, rain, weekend = draw.uniform(-5, 30), draw.random() < 0.3, day % 7 > 4
        rate = math.exp(1.2 + 0.05 * temperature - 0.9 * rain + 0.6 * weekend)
        yield day, round(temperature, 1), int(rain), int(weekend), poisson(draw, rate)


def ratings(draw, users=40, items=30):
    person = [[draw.gauss(0, 0.6) for _ in range(3)] for _ in range(users)]
    thing = [[draw.gauss(0, 0.6) for _ in range(3)] for _ in range(items)]
    for user, item in draw.sample([(u, i) for u in range(users) for i in range(items)], 800):
        taste = sum(a * b for a, b in zip(person[user][1:], thing[item][1:]))
        stars = 3.4 + person[user][0] + thing[item][0] + 1.5 * taste + draw.gauss(0, 0.3)
        yield user, item, min(5.0, max(1.0, round(2 * stars) / 2))


write("homes.csv", ["area", "rooms", "age", "garden", "price"], homes(random.Random(1)))
write("visits.csv", ["day", "temperature", "rain", "weekend", "visitors"], visits(random.Random(2)))
write("ratings.csv", ["user", "item", "stars"], ratings(random.Random(3)))
