"""Words of what analyses of a batch find, in English and Chinese."""

from __future__ import annotations

from migrasim.core.language import Lang
from migrasim.present.language import COMMON, filled

PHRASES: dict[str, tuple[str, str]] = {
    **COMMON,
    "in_year": ("the {title} in {year}", "{year}年{title}"),
    "in_place": ("the {title} of {place} in {year}", "{year}年{place}{title}"),
    "and": ("{one} and {other}", "{one}與{other}"),
    "comma": (", ", "、"),
    "stop": (". ", "。"),
    "future_head": ("{words} (future: {future})", "{words}（未來情形：{future}）"),
    "to": ("{low} to {high}", "{low} 至 {high}"),
    "said": ("{name} {number}", "{name} {number}"),
    "with_interval": ("{number} ({low} to {high})", "{number}（{low} 至 {high}）"),
    "source": (
        "Source: migrasim {version}, batch {name}, {runs} runs, seeds from {seed}, {sample}% of the households. "
        "{intervals}",
        "來源：migrasim {version}，批次 {name}，{runs} 次運行，種子自 {seed} 起，{sample}%的家庭。{intervals}",
    ),
    "intervals_luck": (
        "Intervals: 90 percent over {count} replications (luck only; what is assumed stays fixed).",
        "區間：{count} 次重複的90%區間（僅含隨機性；假設值不變）。",
    ),
    "intervals_both": (
        "Intervals: 90 percent over {count} replications and parameter vectors.",
        "區間：{count} 次重複與參數組的90%區間。",
    ),
    "intervals_points": (
        "Intervals: 90 percent, from drawing points of the design again.",
        "區間：對設計點重新抽樣的90%區間。",
    ),
    "intervals_cases": (
        "Interval of the density: 90 percent; cases of one parameter vector (or point) are one draw. Boxes were "
        "chosen for being dense, so densities lie on the high side.",
        "密度區間：90%區間；同一參數組（或設計點）的情形視為一次抽取。區域因密度高而入選，故密度偏高。",
    ),
    "no_interval": ("One replication: what luck adds cannot be told.", "僅一次重複，無法判斷隨機性的影響。"),
    "missing": (
        "{missing} of {runs} runs are missing or failed and were left out with all that is paired with them.",
        "{runs} 次運行中有 {missing} 次缺失或失敗，連同與其配對者一併略去。",
    ),
    # attribution
    "attribution": ("Which levers brought the effect", "各槓桿對效果的貢獻"),
    "attribution_words": (
        "Together the {count} levers or groups, from the status quo to {level}, change {what} by {whole} "
        "{unit}; shared out "
        "without an order (Shapley): {each}.",
        "{count} 組（項）槓桿由現狀合計取{level}，使{what}改變 {whole} {unit}；不分先後地分攤（沙普利值）：{each}。",
    ),
    "help": ("{pair} help each other ({number})", "{pair}互相加強（{number}）"),
    "hinder": ("{pair} take away from each other ({number})", "{pair}互相抵消（{number}）"),
    "no_pairs": (
        "No pair clearly helps or hinders the other.",
        "沒有哪兩組明顯互相加強或抵消。",
    ),
    "unclear": (
        "Not to be told from zero: {names}.",
        "與零無法區分：{names}。",
    ),
    "order_error": (
        "Orders were drawn; the standard error of that alone is up to {number}.",
        "次序為抽取所得，僅此一項的標準誤最大為 {number}。",
    ),
    "share": ("share of the effect", "貢獻"),
    "alone": ("alone", "單獨"),
    "last": ("last to join", "最後加入"),
    "interaction": ("interaction", "相互作用"),
    # sensitivity
    "sensitivity": ("Which uncertain numbers it hangs on", "結果取決於哪些不確定的數字"),
    "of_scenario": ("{what}", "{what}"),
    "effect_of": (
        "the effect of “{scenario}” against “{reference}” on {what}",
        "“{scenario}”相對“{reference}”對{what}的效果",
    ),
    "morris_words": (
        "Moved through its whole range, one at a time and from many starting points (Morris), the number that "
        "matters most "
        "for {what} is {first}; then come {rest} (mean size of the effect, {unit}). For {quiet} of {count} no "
        "effect could "
        "be told from zero.",
        "在全區間內從多個起點逐一變動（莫里斯法），對{what}影響最大的是{first}；其次為{rest}（效果的平均大小，"
        "{unit}）。"
        "{count} 個數字中有 {quiet} 個的效果與零無法區分。",
    ),
    "sobol_words": (
        "Of the variance of {what} over all ranges, with everything that goes with it (Sobol, total index), "
        "{first}; then "
        "{rest}. For {quiet} of {count} nothing could be told from zero.",
        "在全部區間內，{what}的方差中（索博爾總效應指數），{first}；其次為{rest}。{count} 個數字中有 {quiet} "
        "個與零無法區分。",
    ),
    "pawn_words": (
        "Fixing a number moves the distribution of {what} most for {first}; then {rest} (PAWN, distance from 0 "
        "to 1; a number "
        "that does nothing stays below {noise} in nineteen designs of twenty). {quiet} of {count} stay at or below "
        "that.",
        "固定某一數字時，{what}的分佈變動最大的是{first}；其次為{rest}（PAWN距離，0至1；毫無作用的數字"
        "在二十次設計中有十九次低於 {noise}）。"
        "{count} 個數字中有 {quiet} 個不高於此。",
    ),
    "sobol_few": (
        "From {draws} base points its intervals hold the truth less often than they say (on known functions in 7 to 9 "
        "of 10 designs); take {enough} or more.",
        "{draws} 個基點過少，區間包含真值的次數少於所稱（在已知函數上，10次設計中為7至9次）；請取 {enough} 個或更多。",
    ),
    "morris_axis": ("mean size of the effect over the range, {unit}", "全區間效果的平均大小，{unit}"),
    "sobol_axis": ("share of the variance", "方差份額"),
    "pawn_axis": ("distance of distributions (PAWN)", "分佈距離（PAWN）"),
    "first_index": ("alone (first)", "單獨（一階）"),
    "total_index": ("with all company (total)", "含相互作用（總）"),
    "noise_line": ("a number that does nothing", "毫無作用的數字"),
    # differences
    "differences": ("What each mix does", "各組合的效果"),
    "differences_words": (
        "Against {reference} ({reference_value}), {what} is highest under {best}: {best_number} {unit}, higher "
        "in {best_chance} "
        "of {pairs} pairs; lowest under {worst}: {worst_number} {unit}.",
        "與{reference}（{reference_value}）相比，{what}最高者為{best}：{best_number} {unit}，{pairs} 對中 "
        "{best_chance} 對較高；"
        "最低者為{worst}：{worst_number} {unit}。",
    ),
    "differences_ties": ("A pair of equals counts half.", "相等的一對計為半對。"),
    "differences_clear": (
        "Points clearly higher: {up} of {count}, clearly lower: {down}.",
        "{count} 個組合中，{up} 個明顯較高，{down} 個明顯較低。",
    ),
    "difference_words": (
        "Against {reference} ({reference_value}), {what} changes by {best_number} {unit} under {best}, higher in "
        "{best_chance} of {pairs} pairs.",
        "與{reference}（{reference_value}）相比，{best}使{what}變化 {best_number}{unit}，{pairs} 對中 "
        "{best_chance} 對較高。",
    ),
    "main_words": (
        "On average over all levels of the others, {each}.",
        "其餘各組取遍所有檔次的平均效果：{each}。",
    ),
    "level_of": ("{factor} at {level}", "{factor}取{level}"),
    "difference_axis": ("difference from {reference}, {unit}", "與{reference}之差，{unit}"),
    "main_axis": ("difference from the first level, {unit}", "與第一檔之差，{unit}"),
    # discovery
    "discovery": ("In which cases it falls short", "在哪些條件下達不到"),
    "discovery_words": (
        "{short} of {count} cases ({share}) stay below {threshold} in {what}. Most of them lie where {box}: "
        "there {density} of "
        "the cases fall short ({low} to {high}), and {coverage} of all that do are there.",
        "{count} 種情形中有 {short} 種（{share}）的{what}低於 {threshold}。多數出現在：{box}；其中 {density}（"
        "{low} 至 {high}）"
        "達不到，佔全部達不到者的 {coverage}。",
    ),
    "discovery_more": ("A further {count} boxes are in the table.", "其餘 {count} 個區域見表。"),
    "discovery_skill": (
        "Cases that the tree has not seen it tells apart with a balanced accuracy of {skill} (50% is "
        "guessing); {names} stay in "
        "most trees grown on cases drawn again.",
        "對未見過的情形，決策樹的平衡準確率為 {skill}（50% 等於猜測）；重新抽樣後，{names}在多數樹中仍然出現。",
    ),
    "discovery_doubt": (
        "That is hardly better than guessing: take the boxes for no more than a hint.",
        "與猜測相差無幾，上述區域僅供參考。",
    ),
    "discovery_no_skill": (
        "Too few cases of one kind to test it on cases not seen.",
        "某一類情形過少，無法用未見過的情形檢驗。",
    ),
    "no_box": (
        "{short} of {count} cases stay below {threshold} in {what}; nothing sets them apart.",
        "{count} 種情形中有 {short} 種的{what}低於 {threshold}，但沒有條件能將其區分。",
    ),
    "above": ("{name} above {low}", "{name}高於 {low}"),
    "below": ("{name} below {high}", "{name}低於 {high}"),
    "between": ("{name} between {low} and {high}", "{name}在 {low} 與 {high} 之間"),
    "is": ("{name} is {value}", "{name}為{value}"),
    "is_not": ("{name} is not {value}", "{name}不為{value}"),
    "future": ("future", "未來情形"),
    "scenario": ("scenario", "情景"),
    "short_dot": ("falls short", "達不到"),
    "reach_dot": ("reaches", "達到"),
    "box_line": ("box 1", "區域1"),
    "cases_axis": ("cases", "情形數"),
    # search
    "search": ("Cost against result", "成本與結果"),
    "search_found": (
        "The cheapest mix within the budget that reaches {target} with a chance of {chance} is mix {mix}: "
        "{levels}. It costs "
        "{cost} million yuan more than {start} to {year} ({cost_low} to {cost_high}), of which {payers}. In runs "
        "that had no part in choosing it, it reached the target in {wins} of {count} runs (chance {chance_low} to "
        "{chance_high}); "
        "its mean is {result}.",
        "在預算之內、以{chance}的機會達到{target}的最省組合為組合{mix}：{levels}。至{year}年比{start}多支出 "
        "{cost} 百萬元"
        "（{cost_low} 至 {cost_high}），其中{payers}。在未參與挑選的運行中，{count} 次中有 {wins} 次達標"
        "（機會 {chance_low} 至 {chance_high}）；平均為 {result}。",
    ),
    "search_none": (
        "No mix within the bounds and the budget reaches {target} with a chance of {chance}. Of those run "
        "again the best is mix {mix}: in runs that had no part in choosing it, it reaches {result} on average, "
        "{at_chance} with that chance, for {cost} million yuan more than {start}; it passed the target in {wins} of "
        "{count}. Its levers: {levels}.",
        "在界限與預算之內，沒有組合能以{chance}的機會達到{target}。重新運行者中最好的（組合{mix}）"
        "在未參與挑選的運行中平均為 "
        "{result}，以該機會可達 "
        "{at_chance}，比{start}多支出 {cost} 百萬元；{count} 次中有 {wins} 次達標。其取值：{levels}。",
    ),
    "search_beyond": (
        "Beyond the budget the most that was tried comes to {at_chance} with that chance (mix {mix}, {cost} "
        "million yuan; not "
        "run again).",
        "超出預算者中，試過的最高值以該機會可達 {at_chance}（組合{mix}，{cost} 百萬元；未另行驗證）。",
    ),
    "search_runners": ("Runners-up, by the runs that chose: {each}.", "其次（按挑選所用的運行）：{each}。"),
    "search_runner": (
        "mix {mix} ({cost} million yuan, chance {chance})",
        "組合{mix}（{cost} 百萬元，機會 {chance}）",
    ),
    "search_fell": (
        "That is less often than {chance}: it was chosen by luck of its own, and does not hold.",
        "低於{chance}：當初入選帶有偶然性，結果並不成立。",
    ),
    "search_dearer": (
        "There it costs more than the budget: it was chosen by luck of its own, and does not hold.",
        "此時其成本超出預算：當初入選帶有偶然性，結果並不成立。",
    ),
    "search_how": (
        "{trials} mixes were tried with {tried_runs} runs and {verified} of them run again with "
        "{verified_runs} under luck that the search had not seen, by which one was chosen, and that once more with "
        "{last_runs}. Another search might find a cheaper one. {start} alone reaches {start_result}.",
        "共試 {trials} 種組合（{tried_runs} 次運行），其中 {verified} 種以搜索未用過的隨機數另行驗證"
        "（{verified_runs} 次運行），"
        "據以選出一種，再以新的隨機數運行 {last_runs} 次。"
        "再次搜索或可找到更省者。"
        "{start}單獨可達 {start_result}。",
    ),
    "search_unsure": (
        "The interval of its chance reaches below {chance}: more replications would tell.",
        "其機會的區間低於{chance}，需更多次重複方能確定。",
    ),
    "target_of": ("{what} of {number}", "{what}{number}"),
    "strength_note": ("strength 0 is the status quo, 1 the plan, 2 double", "強度：0為現狀，1為規劃，2為加倍"),
    "cost_axis": ("additional public cost to {year}, million yuan of 2020", "至{year}年新增公共成本，2020年百萬元"),
    "result_axis": ("{what}, reached with a chance of {chance}", "{what}（以{chance}的機會達到）"),
    "tried_dot": ("tried", "試過"),
    "outside_dot": ("tried, beyond the budget", "試過，超出預算"),
    "front_line": ("front of those tried", "試過者的前沿"),
    "verified_dot": ("run again with new luck", "以新隨機數驗證"),
    "county": ("counties", "縣級"),
    "higher": ("higher governments", "上級財政"),
    "enterprise": ("enterprises", "企業"),
    "household": ("households", "居民"),
    "public": ("public", "公共"),
    "payer": ("{payer} {number}", "{payer} {number}"),
    "beside": ("; beside it {payers}", "；此外{payers}"),
    "status_quo": ("status quo", "現狀"),
    "plan": ("the plan", "規劃值"),
    "double": ("double", "加倍"),
}


def say(key: str, lang: Lang, **values: object) -> str:
    """A phrase in one language, filled."""
    return filled(PHRASES[key], lang, **values)
