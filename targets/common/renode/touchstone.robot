*** Comments ***
SPDX-License-Identifier: Apache-2.0
renode-test --variable ELF:/abs/image.elf --variable RESC:/abs/targets/stm32l4/renode.resc
...         --variable RESULT:/abs/a/folder/that/does/not/exist  /abs/touchstone.robot
An image is what `./scons cell=... image=elf` leaves beside the verdict.

*** Variables ***
${SECONDS}              120
${INSTRUCTIONS}         0

*** Test Cases ***
Image Ends And Has Reported
    Execute Command     $elf=@${ELF}
    Execute Command     $result=@${RESULT}
    Execute Command     $seconds=${SECONDS}
    Execute Command     $instructions=${INSTRUCTIONS}
    Execute Script      ${RESC}
    File Should Exist   ${RESULT}/result.txt
    ${lines}=           Get File                ${RESULT}/result.txt
    Should Start With   ${lines}                ended: exit\ncode: 0\n
    File Should Not Be Empty                    ${RESULT}/stream.bin

*** Keywords ***
File Should Not Be Empty
    [Arguments]         ${path}
    ${size}=            Get File Size           ${path}
    Should Be True      ${size} > 0
