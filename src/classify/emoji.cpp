#include "classify/emoji.h"

namespace triage::classify {

bool is_emoji(char32_t c) {
  return (c >= 0x1F300 && c <= 0x1FAFF) || (c >= 0x2600 && c <= 0x27BF) || (c >= 0x1F1E6 && c <= 0x1F1FF) ||
         (c >= 0x2B00 && c <= 0x2BFF) || (c >= 0x231A && c <= 0x23FF) || c == 0x203C || c == 0x2049;
}

std::string_view emoji_class(char32_t c) {
  switch (c) {
    case 0x1F620:
    case 0x1F621:
    case 0x1F624:
    case 0x1F92C:
    case 0x1F47F:
    case 0x1F4A2:
    case 0x1F595:
    case 0x1F608:
      return "e:angry";
    case 0x1F622:
    case 0x1F62D:
    case 0x1F61E:
    case 0x1F614:
    case 0x1F625:
    case 0x1F629:
    case 0x1F62B:
    case 0x1F623:
    case 0x1F616:
    case 0x1F61F:
    case 0x1F641:
    case 0x2639:
    case 0x1F97A:
    case 0x1F494:
    case 0x1F613:
    case 0x1F630:
    case 0x1F626:
    case 0x1F627:
    case 0x1F615:
    case 0x1F63F:
      return "e:sad";
    case 0x1F602:
    case 0x1F923:
    case 0x1F606:
    case 0x1F605:
    case 0x1F639:
    case 0x1F61C:
    case 0x1F61D:
    case 0x1F92A:
      return "e:laugh";
    case 0x2764:
    case 0x1F60D:
    case 0x1F618:
    case 0x1F970:
    case 0x1F495:
    case 0x1F496:
    case 0x1F497:
    case 0x1F498:
    case 0x1F499:
    case 0x1F49A:
    case 0x1F49B:
    case 0x1F49C:
    case 0x1F493:
    case 0x1F60A:
    case 0x1F642:
    case 0x1F600:
    case 0x1F603:
    case 0x1F604:
    case 0x1F601:
    case 0x263A:
    case 0x1F60E:
    case 0x1F607:
    case 0x1F60B:
    case 0x1F917:
      return "e:love";
    case 0x1F64F:
    case 0x1F647:
      return "e:thanks";
    case 0x1F644:
    case 0x1F643:
    case 0x1F612:
    case 0x1F611:
    case 0x1F610:
    case 0x1F928:
    case 0x1F60F:
    case 0x1F914:
    case 0x1F926:
    case 0x1F937:
    case 0x1F62C:
    case 0x1FAE0:
    case 0x1F971:
      return "e:irony";
    case 0x1F6A8:
    case 0x1F198:
    case 0x1F525:
    case 0x26A0:
    case 0x1F4A5:
    case 0x1F631:
    case 0x1F628:
    case 0x1F6D1:
      return "e:alarm";
    case 0x1F922:
    case 0x1F92E:
    case 0x1F927:
    case 0x1F912:
    case 0x1F915:
    case 0x1F637:
    case 0x1F4A9:
    case 0x1F975:
    case 0x1F976:
    case 0x1F440:
      return "e:sick";
    case 0x1F44D:
    case 0x1F44F:
    case 0x1F64C:
    case 0x1F4AF:
    case 0x1F44C:
    case 0x1F4AA:
    case 0x2705:
    case 0x1F91D:
    case 0x1F44A:
    case 0x270C:
      return "e:up";
    case 0x1F44E:
    case 0x274C:
    case 0x1F6AB:
      return "e:down";
    case 0x1F389:
    case 0x1F38A:
    case 0x1F973:
    case 0x1F37E:
    case 0x1F37B:
    case 0x1F942:
    case 0x1F381:
    case 0x2728:
    case 0x1F31F:
    case 0x2B50:
    case 0x1F3C6:
      return "e:party";
    case 0x2708:
    case 0x1F6EB:
    case 0x1F6EC:
    case 0x1F682:
    case 0x1F686:
    case 0x1F697:
    case 0x1F68C:
    case 0x1F3D6:
    case 0x1F334:
    case 0x1F30D:
      return "e:travel";
    default:
      return {};
  }
}

}  // namespace triage::classify
