"""Words of the pages in English and traditional Chinese; simplified is made from these."""

from __future__ import annotations

from collections.abc import Sequence

from migrasim.present.explorer.draft import Draft, of_shipped, title_of
from migrasim.present.language import COMMON, Lang, filled
from migrasim.present.punctuation import punctuated, title_in
from migrasim.present.titles import UNITS as UNITS
from migrasim.present.titles import unit as unit

PHRASES: dict[str, tuple[str, str]] = {
    **COMMON,
    # the page
    "app": ("migrasim: who moves to town, and why", "migrasim：誰進城，為什麼"),
    "explore": ("Explore", "探索"),
    "compare": ("Compare", "比較"),
    "language": ("Language", "語言"),
    "start_from": ("Start from", "起點情景"),
    "place": ("Shown for", "顯示範圍"),
    "whole_region": ("Whole region", "全市"),
    "levers": ("Levers", "槓桿"),
    "levers_help": (
        "Move a lever: the charts answer from a sample first, then from everybody.",
        "移動槓桿：圖表先用抽樣結果作答，再用全部家庭。",
    ),
    "more_levers": ("More levers of the plan", "規劃的其他槓桿"),
    "changed_count": ("{count} changed", "已改{count}項"),
    "lever_count": ("{count} levers", "{count}項"),
    "charts": ("Charts", "圖表"),
    "chart": ("Chart", "圖"),
    "undo": ("Undo", "撤銷"),
    "redo": ("Redo", "重做"),
    "replay": ("Replay the last change", "重放上一步"),
    "reset": ("Back to the start", "回到起點"),
    "pin": ("Pin for comparison", "加入比較"),
    "pinned": ("Pinned ({count} of {most})", "已加入比較（{count}／{most}）"),
    "copy_link": ("Copy link", "複製鏈接"),
    "link_copied": ("Copied", "已複製"),
    "link_not_copied": ("Copy it from the address bar", "請從地址欄複製"),
    "link_broken": (
        "What the address holds is incomplete or no longer allowed; the page shows what it starts from.",
        "網址所含的設置不完整或已不適用；本頁顯示的是起點情景。",
    ),
    "address_unknown": (
        "The address holds what this page does not read: {names}. “Copy link” gives one that holds it all.",
        "網址中有本頁不讀取的內容：{names}。「複製鏈接」所得網址包含全頁設置。",
    ),
    "link_cut": (
        "Some of what the address holds (county, year, pinned scenarios, the change before) is no longer allowed and "
        "was left out.",
        "網址所含的部分設置（縣、年份、已固定的情景、上一次改動）已不適用，未予採用。",
    ),
    "lost": (
        "The program does not answer. If it has ended, start migrasim explore again and reload this page: its address "
        "keeps what was set.",
        "程序沒有回應。若已結束，請重新執行 migrasim explore，再刷新本頁；網址中保留了全部設置。",
    ),
    "files": ("Save, open, export", "保存、打開、導出"),
    "close": ("Close", "關閉"),
    # what is being computed
    "preparing": (
        "Preparing the model. The first start of a version compiles it, which takes a minute or two.",
        "正在準備模型。新版本首次啟動需要編譯，約一兩分鐘。",
    ),
    "quick_running": ("First answer from a sample of {share}", "正在用{share}抽樣計算初步結果"),
    "full_running": ("Everybody is being run: {percent}%", "正在運行全部家庭：{percent}%"),
    "full_waiting": ("Everybody is next in line", "全部家庭的運行正在排隊"),
    "full_done": ("Everybody was run", "已運行全部家庭"),
    "run_full": ("Run everybody", "運行全部家庭"),
    "stop_full": ("Stop", "停止"),
    "bands_running": ("Range over {of}: {done} of {total} runs", "區間（{of}）：{total}次運行中已完成{done}次"),
    "bands_done": ("Range over {of}, {total} runs", "區間（{of}），{total}次運行"),
    "bands": ("Ranges", "區間"),
    "ranges_luck": ("luck and assumed values", "隨機數與假設取值"),
    "ranges_parameters": ("fitted facts", "擬合參數"),
    "ranges_none": ("none", "不顯示"),
    "range_of_luck": ("other luck and other assumed values", "隨機數與假設取值不同"),
    "range_of_parameters": ("facts that fit the record as well", "同樣符合史料的參數"),
    "sample_shown": (
        "Shown: a sample of {share} of the households. Small differences may be luck.",
        "目前顯示{share}的家庭抽樣，細小差別可能出於偶然。",
    ),
    "sample_of": ("sample of {share} of the households", "{share}家庭抽樣"),
    "failed": ("The run ended with an error: {message}", "運行出錯：{message}"),
    # the change
    "now": ("now", "現在"),
    "before": ("before", "之前"),
    "baseline": ("status quo", "現狀"),
    "change_line": (
        "{what}. Resident rate {year}: {before}% → {after}% ({points} points); urban residents {people} thousand; "
        "people away {away} thousand.",
        "{what}。{year}年常住城鎮化率：{before}% → {after}%（{points}個百分點）；城鎮常住人口{people}千人；"
        "外出人口{away}千人。",
    ),
    "state_line": (
        "{name}. Resident rate {year}: {rate}%, status quo {base}%; urban residents {people} thousand.",
        "{name}。{year}年常住城鎮化率{rate}%，現狀情景{base}%；城鎮常住人口{people}千人。",
    ),
    "line_where": ("{where}: {line}", "{where}：{line}"),
    "changed_to": ("{lever}: {value}", "{lever}：{value}"),
    "start_changed": ("Start from {name}", "起點改為{name}"),
    "future_changed": ("Future: {name}", "未來情形：{name}"),
    "taken_back": ("{lever}: back to the start", "{lever}：恢復起點取值"),
    "several_changed": ("{count} levers changed", "改動了{count}項槓桿"),
    # a lever
    "status_quo_mark": ("2020", "2020年"),
    "plan_mark": ("plan", "規劃"),
    "bounds": ("allowed: {low} to {high} {unit}", "允許範圍：{low}至{high}{unit}"),
    "changed": ("changed", "已改"),
    "plan_says": ("The plan says", "規劃原文"),
    "chapter": ("section {chapter}", "第{chapter}節"),
    "acts": ("Acts through", "作用途徑"),
    "value_2020": ("Value of 2020", "2020年取值"),
    "value_plan": ("Value in the plan", "規劃取值"),
    "why": ("status {status}; source: {source}", "依據：{status}；來源：{source}"),
    "range_words": ("range {low} to {high}", "區間{low}至{high}"),
    "details": ("About this lever", "關於此槓桿"),
    "constant": ("One value", "單一數值"),
    "path": ("Path over years", "逐年路徑"),
    "by_county": ("By county", "分縣"),
    "mode": ("How", "方式"),
    "from_year": ("from year", "起始年"),
    "from_value": ("value", "起始值"),
    "to_year": ("to year", "結束年"),
    "to_value": ("value", "結束值"),
    "shape": ("Shape", "形狀"),
    "shape_linear": ("evenly", "均勻"),
    "shape_early": ("early", "先快後慢"),
    "shape_late": ("late", "先慢後快"),
    "shape_step": ("at the end", "最後一步到位"),
    "path_order": (
        "The end year must lie after the start year: {start}, {end}.",
        "結束年須晚於起始年：{start}、{end}。",
    ),
    "apply": ("Apply", "應用"),
    "set_quo": ("As in 2020", "取2020年值"),
    "set_plan": ("As in the plan", "取規劃值"),
    "set_start": ("As in the start", "取起點值"),
    "group_quo": ("All as in 2020", "全組取2020年值"),
    "group_plan": ("All as in the plan", "全組取規劃值"),
    "empty_stays": ("Empty: as in 2020", "留空：取2020年值"),
    "path_text": ("{first} in {start} to {last} in {end}", "{start}年{first}至{end}年{last}"),
    "counties_text": ("by county", "分縣取值"),
    "jobs_text": ("{value} by 2035", "到2035年{value}"),
    # statuses
    # files
    "scenario_name": ("Name of the scenario", "情景名稱"),
    "save": ("Save in the folder", "保存到文件夾"),
    "download_yaml": ("Download the scenario (YAML)", "下載情景（YAML）"),
    "open_file": ("Open a scenario file", "打開情景文件"),
    "open_folder": ("Open from the folder", "從文件夾打開"),
    "tables_csv": ("Tables, CSV", "數據表（CSV）"),
    "tables_parquet": ("Tables, Parquet", "數據表（Parquet）"),
    "report": ("Report (HTML)", "報告（HTML）"),
    "opened_file": ("Opened: {name}", "已打開：{name}"),
    "saved_file": ("Saved: {name}", "已保存：{name}"),
    "too_large": (
        "{name}: larger than {most} kB; a scenario file is a few lines.",
        "{name}：超過{most}kB；情景文件只有幾行。",
    ),
    "files_note": (
        "The folder is {folder}. The address of this page holds everything, too: a bookmark or a copied address brings "
        "it back.",
        "文件夾：{folder}。本頁網址也包含全部設置：收藏或複製網址即可恢復。",
    ),
    # sources
    "where_head": ("Where this comes from: {what}", "數據來源：{what}"),
    "run_text": (
        "Computed by the model, not published: run {run}, luck {seed}, {share} of the households, migrasim {version}, "
        "future {future}.",
        "由模型計算，並非公佈數據：運行{run}，隨機種子{seed}，{share}的家庭，migrasim {version}，未來情形{future}。",
    ),
    "measured": ("How it is measured", "計量方法"),
    "how": ("How", "方法"),
    "published_head": ("Published figures and their sources", "公佈數據及來源"),
    "set_levers": (
        "Levers behind it that are not at their value of 2020: {count}",
        "相關槓桿中不取2020年值的：{count}項",
    ),
    "set_here": ("set in this scenario", "本情景設定"),
    "facts_head": ("Assumptions and constants behind it: {count} of {total}", "相關假設與常數：{total}項中的{count}項"),
    # warnings
    "warnings": ("Warnings for the whole region: {count}", "全區提醒：{count}條"),
    "from_on": ("from {first} on", "自{first}年起"),
    "from_to": ("from {first} to {last}", "{first}至{last}年"),
    "in_year": ("in {first}", "{first}年"),
    "warn_dwellings": (
        "Dwellings are short {when}: people who want to move find none. Remedy: more public or affordable "
        "rental dwellings, or less pull to full places.",
        "{when}住房不足：想遷入者無房可住。建議：增加公租房或保障性租賃住房，或減輕對飽和地區的吸引。",
    ),
    "warn_queue": (
        "The queue for public rental is long {when}: up to {count} households. Remedy: more dwellings a year, or "
        "subsidies for market rent.",
        "{when}公租房輪候過長：最多{count}戶。建議：增加每年供應，或發放租房補貼。",
    ),
    "warn_schools": (
        "Schools of towns are overfull {when}. Remedy: more school places, or supply that follows residents.",
        "{when}城鎮學校超員。建議：增加學位，或按常住人口配置。",
    ),
    "warn_budget": (
        "County budgets do not carry it {when}: {yuan} million yuan of building is not paid and not built. "
        "Remedy: a larger share of higher governments or enterprises, or a slower pace.",
        "{when}縣級財政無力承擔：{yuan}百萬元建設未獲支付，未建成。建議：提高上級或企業分擔比例，或放慢進度。",
    ),
    "warn_emptying": (
        "The rate rises mostly because villages empty: they lose {gone} thousand people, towns gain {filled} thousand. "
        "Remedy: jobs and services here, or none if leaving is wished.",
        "率上升主要因為鄉村人口流出：鄉村減少{gone}千人，城鎮增加{filled}千人。建議：增加本地就業與服務。",
    ),
    "warn_bounds": (
        "At the bound of what is allowed: {levers}. Remedy: more cannot come from here; move another lever.",
        "已到允許範圍的邊界：{levers}。建議：此處已無餘地，請移動其他槓桿。",
    ),
    # comparing
    "nothing_pinned": (
        "Nothing is pinned yet. On the page Explore, press Pin for comparison; up to {most} scenarios can be compared.",
        "尚未選定情景。請在「探索」頁按「加入比較」，最多可比較{most}個情景。",
    ),
    "and_more_levers": ("{count} more differ", "另有{count}項不同"),
    "in_brackets": (" ({what})", "（{what}）"),
    "open_pin": ("Open", "打開"),
    "unpin": ("Drop", "移除"),
    "future_all": ("Future for all", "全部採用的未來情形"),
    "future_own": ("each its own", "各自的"),
    "pairs_running": ("{done} of {total} runs done", "已完成{done}／{total}次運行"),
    "measure": ("Indicator", "指標"),
    "levers_differ": ("Levers that differ: {count}", "取值不同的槓桿：{count}項"),
    "differences": ("{where}: difference from the status quo in {year}", "{where}：{year}年與現狀情景之差"),
    "differences_note": (
        "Mean over up to {pairs} draws ({of}), the same for all scenarios; in brackets the 90% "
        "interval of the mean; then in how many draws it is higher. Samples exaggerate luck.",
        "至多{pairs}次抽取的均值（{of}，各情景相同）；括號內為均值的90%區間；其後為高於現狀的次數。抽樣會放大偶然性。",
    ),
    "ends": (" ({low} … {high})", "（{low} … {high}）"),
    "higher_in": ("; higher in {count} of {total}", "；{total}次中{count}次較高"),
    "more_urban": (
        "In {count} of {total} draws {one} has more urban residents than {other}.",
        "{total}次抽取中有{count}次，「{one}」的城鎮常住人口多於「{other}」。",
    ),
    "which_lever": ("Which lever did it", "哪項槓桿起了作用"),
    "which_note": (
        "Shares out the difference of the resident rate from the status quo among levers, or groups where they are "
        "many, in no order (Shapley values). It needs up to 32 runs.",
        "把常住城鎮化率與現狀情景之差分攤到各槓桿（項數多時按組），與順序無關（沙普利值）；最多需32次運行。",
    ),
    "which_ask": ("Share out {name}", "分攤{name}"),
    "which_none": ("It is the status quo: there is nothing to share out.", "與現狀相同，沒有可分攤的差別。"),
    "other_levers": ("all other levers", "其他槓桿"),
    "chart_attribution": ("What each lever adds: {name}, {year}", "各槓桿的貢獻：{name}，{year}年"),
    "attribution_note": (
        "One draw of luck in all runs; helping and hindering between levers is shared equally.",
        "各次運行隨機數相同；槓桿之間的促進與抵消平均分攤。",
    ),
    "key_now": ("Solid: now.", "實線：現在。"),
    "key_before": ("Dashed: before the last change.", "虛線：上一步之前。"),
    "key_baseline": ("Dotted: status quo.", "點線：現狀情景。"),
    "key_range": ("Shade: range.", "陰影：區間。"),
    # beside what leaves the page
    "scenario": ("Scenario", "情景"),
    "run_codes": ("Runs", "運行標識"),
    "make_again": (
        "The scenario is in {file}. The same version makes the same tables with this command:",
        "情景見 {file}。用同一版本執行以下命令，可得相同的數據表：",
    ),
    "foot_scenario": ("Scenario: {names}.", "情景：{names}。"),
    "foot_range": ("Range: {of}, {count} runs.", "區間：{of}，{count}次運行。"),
    "foot_published": ("Published figures: {sources}", "公佈數據：{sources}"),
    "low_end": ("{what}, low end of the range", "{what}，區間下限"),
    "high_end": ("{what}, high end of the range", "{what}，區間上限"),
    "ends_extremes": (
        "Its ends are the lowest and highest of these runs, laid around the line.",
        "上下限為各次運行相對於所示曲線的最低與最高值。",
    ),
    "ends_quantiles": (
        "Its ends are 5 and 95 percent of these runs, laid around the line.",
        "上下限為各次運行相對於所示曲線的5%與95%分位數。",
    ),
    "headed": ("{what} ({unit})", "{what}（{unit}）"),
    # charts
    "chart_rates": ("Urbanization rates", "城鎮化率"),
    "chart_decomposition": (
        "What changed the resident rate, {first}-{last}",
        "常住城鎮化率變化的來源，{first}-{last}年",
    ),
    "chart_map": ("Resident rate by county, {year}", "各縣常住城鎮化率，{year}年"),
    "chart_flows": ("Moves between kinds of places, {year}", "各類地方之間的遷移，{year}年"),
    "chart_housing": ("Public housing and the queue", "保障性住房與輪候"),
    "chart_services": ("How full schools and clinics of towns are", "城鎮學校與醫療的擁擠程度"),
    "chart_families": ("Families apart, and who is left behind", "分居家庭與留守人員"),
    "chart_rights": ("Land rights of those who settle in town", "進城落戶者的土地權益"),
    "chart_costs": ("Outlay of the year by who pays", "當年支出，按承擔者"),
    "chart_groups": ("Who gains and who loses against {reference}, {year}", "與{reference}相比的得失，{year}年"),
    "target_note": (
        "Targets are goals to measure against, never data that were fitted. A higher rate is no success where people "
        "leave the region: look at urban residents and people away.",
        "目標只作衡量之用，從不作為擬合數據。若因人口外流，率升高並非成績：請同看城鎮常住人口與外出人口。",
    ),
    "people_note": (
        "The rate can rise because towns fill or because villages empty; these two lines tell which.",
        "率上升可能因為城鎮人口增加，也可能因為鄉村人口流出；由這兩條線可以分辨。",
    ),
    "map_note": (
        "The map is schematic; its lines are no administrative boundaries.",
        "示意圖，並非行政界線。",
    ),
    "flows_note": ("Left: from; right: to. People who moved in the year.", "左為遷出地，右為遷入地；當年遷移人數。"),
    "services_note": ("Above 100: more pupils or patients than places.", "超過100：人數多於學位或床位。"),
    "costs_note": (
        "Yuan of 2020. Costs of levers and of new residents; a part of what households bear is their own consumption.",
        "2020年元。槓桿與新增居民的成本；居民承擔部分含其自身消費。",
    ),
    "groups_note": (
        "Mean income after rent and living cost per equivalent member, same luck in both runs; fifths of the year. "
        "Students who live by themselves are left out: their families pay for them, which is not followed.",
        "扣除房租與生活成本後的等值人均收入均值，兩次運行隨機數相同；五等分按當年。獨自居住的學生由家庭供養（模型不計），不計入。",
    ),
    "published": ("published", "公佈值"),
    "target": ("target of the plan", "規劃目標"),
    "schematic": ("schematic", "示意圖"),
    "thousand_people": ("thousand people", "千人"),
    "thousand_households": ("thousand households", "千戶"),
    "thousand_each": ("thousand households or persons", "千戶或千人"),
    "persons_yr": ("people in the year", "當年人數"),
    "households_yr": ("households in the year", "當年戶數"),
    "million_yuan_yr": ("million yuan of 2020 in the year", "當年，百萬元（2020年價）"),
    "percent_of_places": ("% of places", "佔學位、床位的%"),
    "change_of_income": ("change in 1,000 yuan a year", "變化，千元/年"),
    "change_since": ("points since {year}", "自{year}年變化（百分點）"),
    "origin": ("From", "遷出地"),
    "destination": ("To", "遷入地"),
    "pair": ("{one}: {other}", "{one}：{other}"),
    "by_all": ("all", "全部"),
    "by_income": ("income", "收入"),
    "by_schooling": ("schooling", "學歷"),
    "by_age": ("age", "年齡"),
    "source_line": (
        "migrasim {version}, run {runs}, luck {seed}; parameters fitted only roughly",
        "migrasim {version}，運行 {runs}，隨機種子 {seed}；參數經擬合，精度有限",
    ),
    "table": ("Table", "表格"),
    "csv": ("CSV", "CSV"),
    "where_from": ("Where from?", "數據來源"),
    "range_row": ("range", "區間"),
}


def say(key: str, lang: Lang, **values: object) -> str:
    """A phrase of the pages in one language, filled."""
    return filled(PHRASES[key], lang, **values)


def key_of(marks: Sequence[str], lang: Lang) -> str:
    """What solid, dashed and dotted lines and the shade mean, those that are asked for."""
    return (" " if lang == "en" else "").join(say(f"key_{mark}", lang) for mark in marks)


def shipped_name(name: str, lang: Lang) -> str:
    """Title of a shipped scenario."""
    return str(title_in(title_of(of_shipped(name)), lang))


def name_of(draft: Draft, lang: Lang) -> str:
    """What a draft is called: its own name, or that of its start with the number of changes."""
    if draft.name:
        return draft.name
    title = shipped_name(draft.base, lang)
    count = len(draft.levers)
    return punctuated(f"{title} ({say('changed_count', lang, count=count)})", lang) if count else title
