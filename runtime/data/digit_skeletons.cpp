// Skeletons in several styles per digit; the points were placed by eye.
#include "runtime/data/digit_skeletons.h"

#include "runtime/core/error.h"

namespace gradc {
namespace {

constexpr bool kCurve = true;
constexpr bool kStraight = false;

constexpr SkeletonPoint kZeroA1[] = {{55, 2},  {35, 8},  {22, 30}, {20, 55}, {28, 85}, {48, 98},
                                     {68, 90}, {80, 62}, {78, 30}, {65, 8},  {50, 2}};
constexpr Stroke kZeroA[] = {{kCurve, kZeroA1}};
constexpr SkeletonPoint kZeroB1[] = {{66, 12}, {48, 3},  {28, 20}, {22, 52}, {32, 88}, {52, 97},
                                     {72, 82}, {78, 48}, {68, 14}, {52, 8},  {44, 16}};
constexpr Stroke kZeroB[] = {{kCurve, kZeroB1}};
constexpr Skeleton kZero[] = {kZeroA, kZeroB};

constexpr SkeletonPoint kOneA1[] = {{54, 0}, {50, 50}, {46, 100}};
constexpr Stroke kOneA[] = {{kCurve, kOneA1}};
constexpr SkeletonPoint kOneB1[] = {{32, 22}, {52, 0}, {52, 100}};
constexpr Stroke kOneB[] = {{kStraight, kOneB1}};
constexpr SkeletonPoint kOneC1[] = {{34, 20}, {52, 2}, {52, 98}};
constexpr SkeletonPoint kOneC2[] = {{30, 98}, {72, 98}};
constexpr Stroke kOneC[] = {{kStraight, kOneC1}, {kStraight, kOneC2}};
constexpr Skeleton kOne[] = {kOneA, kOneB, kOneC};

constexpr SkeletonPoint kTwoA1[] = {{22, 25}, {32, 7},  {54, 2}, {74, 14},
                                    {74, 36}, {56, 62}, {22, 96}};
constexpr SkeletonPoint kTwoA2[] = {{22, 96}, {80, 94}};
constexpr Stroke kTwoA[] = {{kCurve, kTwoA1}, {kStraight, kTwoA2}};
constexpr SkeletonPoint kTwoB1[] = {{24, 22}, {42, 3},  {66, 6},  {74, 28}, {58, 58}, {34, 86},
                                    {22, 92}, {18, 84}, {28, 76}, {46, 86}, {66, 96}, {84, 90}};
constexpr Stroke kTwoB[] = {{kCurve, kTwoB1}};
constexpr SkeletonPoint kTwoC1[] = {{24, 12}, {48, 4}, {70, 8}, {66, 28}, {46, 58}, {24, 96}};
constexpr SkeletonPoint kTwoC2[] = {{24, 96}, {50, 90}, {78, 94}};
constexpr Stroke kTwoC[] = {{kCurve, kTwoC1}, {kCurve, kTwoC2}};
constexpr Skeleton kTwo[] = {kTwoA, kTwoB, kTwoC};

constexpr SkeletonPoint kThreeA1[] = {{24, 14}, {46, 2}, {70, 10}, {72, 30}, {58, 44}, {42, 48}};
constexpr SkeletonPoint kThreeA2[] = {{42, 48}, {62, 50}, {78, 66}, {70, 90}, {46, 99}, {22, 88}};
constexpr Stroke kThreeA[] = {{kCurve, kThreeA1}, {kCurve, kThreeA2}};
constexpr SkeletonPoint kThreeB1[] = {{24, 4}, {72, 4}, {46, 40}};
constexpr SkeletonPoint kThreeB2[] = {{46, 40}, {70, 46}, {78, 70}, {64, 93}, {40, 98}, {20, 86}};
constexpr Stroke kThreeB[] = {{kStraight, kThreeB1}, {kCurve, kThreeB2}};
constexpr SkeletonPoint kThreeC1[] = {{22, 16}, {44, 2},  {70, 12}, {68, 34}, {44, 48},
                                      {68, 54}, {78, 76}, {60, 97}, {34, 98}, {20, 84}};
constexpr Stroke kThreeC[] = {{kCurve, kThreeC1}};
constexpr Skeleton kThree[] = {kThreeA, kThreeB, kThreeC};

constexpr SkeletonPoint kFourA1[] = {{30, 4}, {20, 58}, {80, 56}};
constexpr SkeletonPoint kFourA2[] = {{68, 10}, {62, 100}};
constexpr Stroke kFourA[] = {{kStraight, kFourA1}, {kStraight, kFourA2}};
constexpr SkeletonPoint kFourB1[] = {{64, 0}, {18, 66}, {82, 66}};
constexpr SkeletonPoint kFourB2[] = {{64, 0}, {62, 100}};
constexpr Stroke kFourB[] = {{kStraight, kFourB1}, {kStraight, kFourB2}};
constexpr SkeletonPoint kFourC1[] = {{26, 6}, {20, 36}, {28, 54}, {50, 56}, {70, 48}};
constexpr SkeletonPoint kFourC2[] = {{74, 4}, {70, 40}, {64, 100}};
constexpr Stroke kFourC[] = {{kCurve, kFourC1}, {kCurve, kFourC2}};
constexpr Skeleton kFour[] = {kFourA, kFourB, kFourC};

constexpr SkeletonPoint kFiveA1[] = {{74, 4}, {34, 4}, {28, 44}};
constexpr SkeletonPoint kFiveA2[] = {{28, 44}, {50, 36}, {74, 48}, {78, 72},
                                     {60, 95}, {36, 98}, {20, 86}};
constexpr Stroke kFiveA[] = {{kStraight, kFiveA1}, {kCurve, kFiveA2}};
constexpr SkeletonPoint kFiveB1[] = {{78, 5},  {52, 4},  {36, 10}, {30, 40}, {54, 40},
                                     {76, 58}, {70, 88}, {44, 99}, {20, 88}};
constexpr Stroke kFiveB[] = {{kCurve, kFiveB1}};
constexpr SkeletonPoint kFiveC1[] = {{34, 8},  {30, 44}, {52, 38}, {74, 52},
                                     {72, 82}, {48, 98}, {22, 90}};
constexpr SkeletonPoint kFiveC2[] = {{34, 8}, {76, 2}};
constexpr Stroke kFiveC[] = {{kCurve, kFiveC1}, {kStraight, kFiveC2}};
constexpr Skeleton kFive[] = {kFiveA, kFiveB, kFiveC};

constexpr SkeletonPoint kSixA1[] = {{66, 2},  {44, 16}, {26, 46}, {22, 76}, {38, 97},
                                    {62, 95}, {74, 76}, {64, 56}, {44, 54}, {26, 70}};
constexpr Stroke kSixA[] = {{kCurve, kSixA1}};
constexpr SkeletonPoint kSixB1[] = {{52, 0},  {34, 34}, {24, 68}, {34, 95}, {58, 97},
                                    {70, 78}, {58, 58}, {38, 60}, {26, 74}};
constexpr Stroke kSixB[] = {{kCurve, kSixB1}};
constexpr Skeleton kSix[] = {kSixA, kSixB};

constexpr SkeletonPoint kSevenA1[] = {{20, 6}, {78, 6}, {42, 100}};
constexpr Stroke kSevenA[] = {{kStraight, kSevenA1}};
constexpr SkeletonPoint kSevenB2[] = {{34, 50}, {74, 48}};
constexpr Stroke kSevenB[] = {{kStraight, kSevenA1}, {kStraight, kSevenB2}};
constexpr SkeletonPoint kSevenC1[] = {{22, 22}, {24, 5}, {78, 6}};
constexpr SkeletonPoint kSevenC2[] = {{78, 6}, {62, 36}, {50, 66}, {48, 100}};
constexpr Stroke kSevenC[] = {{kStraight, kSevenC1}, {kCurve, kSevenC2}};
constexpr SkeletonPoint kSevenD1[] = {{20, 14}, {40, 4}, {62, 9}, {78, 4}};
constexpr SkeletonPoint kSevenD2[] = {{78, 4}, {60, 40}, {44, 98}};
constexpr Stroke kSevenD[] = {{kCurve, kSevenD1}, {kCurve, kSevenD2}};
constexpr Skeleton kSeven[] = {kSevenA, kSevenB, kSevenC, kSevenD};

constexpr SkeletonPoint kEightA1[] = {{70, 12}, {48, 2},  {28, 14}, {32, 34}, {54, 48},
                                      {72, 66}, {70, 90}, {48, 99}, {26, 88}, {28, 66},
                                      {48, 48}, {68, 32}, {70, 12}, {60, 4}};
constexpr Stroke kEightA[] = {{kCurve, kEightA1}};
constexpr SkeletonPoint kEightB1[] = {{50, 2},  {32, 10}, {32, 36}, {50, 46},
                                      {68, 36}, {68, 10}, {50, 2}};
constexpr SkeletonPoint kEightB2[] = {{50, 46}, {26, 58}, {24, 86}, {50, 99},
                                      {76, 86}, {74, 58}, {50, 46}};
constexpr Stroke kEightB[] = {{kCurve, kEightB1}, {kCurve, kEightB2}};
constexpr Skeleton kEight[] = {kEightA, kEightB};

constexpr SkeletonPoint kNineA1[] = {{72, 14}, {50, 2},  {28, 14}, {24, 38},
                                     {42, 52}, {64, 44}, {73, 16}};
constexpr SkeletonPoint kNineA2[] = {{73, 16}, {72, 50}, {66, 100}};
constexpr Stroke kNineA[] = {{kCurve, kNineA1}, {kCurve, kNineA2}};
constexpr SkeletonPoint kNineB1[] = {{72, 14}, {50, 2},  {28, 14}, {24, 38},
                                     {42, 52}, {64, 44}, {74, 14}};
constexpr SkeletonPoint kNineB2[] = {{74, 14}, {76, 50}, {68, 84}, {48, 99}, {28, 92}};
constexpr Stroke kNineB[] = {{kCurve, kNineB1}, {kCurve, kNineB2}};
constexpr SkeletonPoint kNineC1[] = {{70, 20}, {52, 3}, {30, 12}, {26, 38}, {46, 50}, {68, 34}};
constexpr SkeletonPoint kNineC2[] = {{74, 6}, {58, 100}};
constexpr Stroke kNineC[] = {{kCurve, kNineC1}, {kStraight, kNineC2}};
constexpr Skeleton kNine[] = {kNineA, kNineB, kNineC};

constexpr std::span<const Skeleton> kDigits[] = {kZero, kOne, kTwo,   kThree, kFour,
                                                 kFive, kSix, kSeven, kEight, kNine};

}  // namespace

std::span<const Skeleton> skeletons_of(int digit) {
  CHECK(digit >= 0 && digit < 10, "digit {}", digit);
  return kDigits[digit];
}

}  // namespace gradc
